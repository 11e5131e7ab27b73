import { Money } from '@shop/money';
import { round } from '@shop/money/round';
import catalog, { priceOf } from './catalog.js';

export class Cart {
  #lines = [];
  discount = noDiscount;

  add(sku, count = 1) {
    if (!catalog.has(sku)) throw new Error(sku);
    this.#lines.push({ sku, count });
    return this;
  }

  total() {
    let sum = Money.zero();
    for (const { sku, count } of this.#lines) {
      sum = sum.plus(priceOf(sku).times(count));
    }
    return this.discount(sum);
  }

  checkout(pay) {
    const due = this.total();
    return pay(due.times(1), round(2));
  }
}

export function noDiscount(sum) {
  return sum;
}

export function percent(n) {
  return (sum) => sum.times(1 - n / 100);
}
