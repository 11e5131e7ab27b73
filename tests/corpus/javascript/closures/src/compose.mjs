export const compose = (...steps) => (input) => steps.reduce((value, step) => step(value), input);

export function once(fn) {
  let done = false;
  let result;
  return function only(...args) {
    if (!done) {
      done = true;
      result = fn(...args);
    }
    return result;
  };
}

export function memo(fn) {
  const cache = new Map();
  return (key) => {
    if (!cache.has(key)) cache.set(key, fn(key));
    return cache.get(key);
  };
}
