export function add(a, b) {
  return a + b;
}

export const double = (n) => add(n, n);

export default function sum(...numbers) {
  return numbers.reduce((total, n) => add(total, n), 0);
}

function hidden() {
  return 42;
}

export { hidden as answer };
