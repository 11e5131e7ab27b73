export class Circle {
  kind = 'circle' as const;

  area(): number {
    return pi() * 2;
  }
}

export class Square {
  kind = 'square' as const;
  side: Side;

  constructor(side: Side) {
    this.side = side;
  }

  area(): number {
    return this.side.squared();
  }
}

export class Side {
  squared = (): number => 4;
}

export type Shape = Circle | Square;

function pi(): number {
  return 3;
}

export const isCircle = (shape: Shape): shape is Circle => shape.kind === 'circle';
