const slug = (text) => text.trim();

module.exports = {
  slug,
  title(text) {
    return slug(text) + '!';
  },
  nested: {
    deep: () => slug('deep'),
  },
  again: function (text) {
    return this.title(text);
  },
};
