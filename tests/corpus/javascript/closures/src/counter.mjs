export function createCounter(start) {
  let value = start;

  function step(by) {
    value = clamp(value + by);
    return value;
  }

  const reset = () => {
    value = start;
    return step(0);
  };

  return {
    up() {
      return step(1);
    },
    down: () => step(-1),
    reset,
  };
}

function clamp(n) {
  return limit(n, 0, 100);
}

function limit(n, low, high) {
  return Math.min(high, Math.max(low, n));
}
