import { Cart, percent } from './lib/cart.js';
import catalog from './lib/catalog.js';

const handlers = {
  buy(cart, sku) {
    return cart.add(sku);
  },
  list: () => catalog.list(),
};

function makeCart(rebate) {
  const cart = new Cart();
  if (rebate) cart.discount = percent(rebate);
  return cart;
}

export async function main(argv) {
  const cart = makeCart(10);
  handlers.list();
  handlers.buy(cart, 'tea');
  cart.add('cup', 2).add('tea');
  const paid = await cart.checkout(async (due) => receipt(due));
  return paid;
}

const receipt = (due) => `paid ${due.amount}`;

main(process.argv).catch(fail);

function fail(error) {
  console.error(error);
  process.exit(1);
}
