namespace Geometry {
  export interface Point {
    x: number;
    y: number;
  }

  export function distance(a: Point, b: Point): number {
    return root(square(a.x - b.x) + square(a.y - b.y));
  }

  function square(n: number): number {
    return n * n;
  }

  export namespace Units {
    export const toMetres = (n: number): number => scale(n, 1000);

    function scale(n: number, by: number): number {
      return n * by;
    }
  }

  export class Line {
    constructor(private from: Point, private to: Point) {}

    length(): number {
      return distance(this.from, this.to);
    }
  }
}

function root(n: number): number {
  return Math.sqrt(n);
}

export = Geometry;
