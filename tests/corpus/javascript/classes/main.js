import { Circle, Dot, Shape } from './shapes.js';
import * as shapes from './shapes.js';

function makers() {
  const circle = new Circle(2);
  circle.describe();
  const dot = new Dot(1);
  dot.area();
  new shapes.Shape('plain').describe();
  return [circle, dot];
}

function biggest(list) {
  return list.map((shape) => shape.area());
}

class Drawing {
  constructor() {
    this.shape = new Circle(3);
  }

  draw() {
    const { shape } = this;
    this.shape.describe();
    return shape.upper('x');
  }
}

new Drawing().draw();
biggest(makers());
Shape.unit();
