const pad = (text) => text.padStart(8);

export default pad;

export function shout(text) {
  return pad(text).toUpperCase();
}
