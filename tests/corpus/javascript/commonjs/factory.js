const Store = require('./store');

module.exports = function createStore(name) {
  return Store.open(name);
};
