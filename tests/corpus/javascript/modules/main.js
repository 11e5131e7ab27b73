import sum, { add as plus, answer } from './math.js';
import * as tools from './math.js';
import { double, total, strings } from '.';
import pad, { shout } from './strings';
import fs from 'node:fs';

export function run() {
  const first = sum(1, 2, 3);
  const second = plus(first, answer());
  const third = tools.double(second);
  console.log(pad(String(third)), strings.shout('x'));
  fs.writeFileSync('out', shout(String(double(total(third)))));
  return tools.default(first);
}

async function later() {
  const math = await import('./math.js');
  return math.add(1, 2);
}

run();
later().then((n) => plus(n, 1));
