export class Shape {
  #name;

  constructor(name) {
    this.#name = name;
    this.#check();
  }

  #check() {
    if (!this.#name) throw new TypeError('no name');
  }

  area() {
    return 0;
  }

  describe() {
    return `${this.label}: ${this.area()}`;
  }

  get label() {
    return this.upper(this.#name);
  }

  upper = (text) => text.toUpperCase();

  static unit() {
    return new this('unit');
  }
}

export class Circle extends Shape {
  static pi = approximate(3);

  constructor(radius) {
    super('circle');
    this.radius = radius;
  }

  area() {
    return Circle.pi * square(this.radius);
  }

  describe() {
    return super.describe() + this.#more();
  }

  #more() {
    return '.';
  }
}

export class Dot extends Circle {}

function approximate(digits) {
  return Number(Math.PI.toFixed(digits));
}

const square = (n) => n * n;
