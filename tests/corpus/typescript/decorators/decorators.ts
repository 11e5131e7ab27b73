export function logged(target: unknown, name: string): void {
  register(`${name}`);
}

export function injectable(options: { scope: string }) {
  return (constructor: Function) => register(options.scope);
}

export const Input = () => (target: object, key: string) => undefined;

const names: string[] = [];

function register(name: string): void {
  names.push(name);
}
