import { round } from './round.js';

export class Money {
  constructor(amount) {
    this.amount = round(amount);
  }

  plus(other) {
    return new Money(this.amount + other.amount);
  }

  times(n) {
    return new Money(this.amount * n);
  }

  static zero() {
    return new Money(0);
  }
}
