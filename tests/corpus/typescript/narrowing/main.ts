import { Circle, isCircle, Side, Square, type Shape } from './shapes';

const registry: Record<string, Square> = {};

export function total(shapes: Shape[]): number {
  let sum = 0;
  for (const shape of shapes) {
    if (isCircle(shape)) sum += shape.area();
  }
  return sum;
}

export function pick(kind: string): Shape {
  let made: Shape | null = null;
  switch (kind) {
    case 'circle':
      made = new Circle();
      break;
    default:
      made = registry[kind] ?? new Square(new Side());
  }
  return made;
}

export function grow(value: unknown): number {
  const side = (value as Square).side.squared();
  const other = <Square>value;
  let current = new Circle();
  current = new Circle();
  const shapes: Array<Circle> = [current];
  shapes.map(({ area }) => area);
  return side + other.area() + current.area() + registry['a'].area();
}

export const areas = (squares: Set<Square>, { first }: { first: Circle }): number[] =>
  [...squares].map((square) => square.area());

declare const injected: Circle;
injected.area();
total([pick('circle')]);
