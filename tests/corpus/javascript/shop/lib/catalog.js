import { Money } from '@shop/money';

const prices = { tea: new Money(3), cup: new Money(8) };

const catalog = {
  has: (sku) => sku in prices,
  get names() {
    return Object.keys(prices);
  },
  list() {
    return this.names.filter((name) => catalog.has(name));
  },
};

export function priceOf(sku) {
  return prices[sku] || Money.zero();
}

export { catalog as default };
