import { Client, client, connect } from './client.js';

async function first() {
  const one = await connect('http://a');
  await one.get('x');
  return (await connect('http://b')).get('y');
}

function second() {
  return connect('http://c').then((made) => made.get('z'));
}

function third(clients) {
  return Promise.all(clients.map((each) => each.get('all')));
}

async function all() {
  const many = [new Client('1'), new Client('2')];
  await first();
  await Promise.all([second(), third(many)]);
  client().url('end');
  const { url } = client();
  const later = all;
  setTimeout(later, 10);
  if (url) later();
}

export default all;
