import { createCounter } from './counter.mjs';
import { compose, memo, once } from './compose.mjs';

const trim = (text) => text.trim();
const lower = (text) => text.toLowerCase();
const clean = compose(trim, lower);
const load = once(() => createCounter(0));
const slow = memo(fibonacci);

function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function count(words) {
  const counter = createCounter(words.length);
  words.forEach((word) => {
    if (clean(word)) counter.up();
    else counter.down();
  });
  return counter.reset();
}

// Names that hide others: none of these calls the function of the file.
function shadow(trim, { lower }) {
  trim(' x ');
  lower('X');
  {
    const count = (x) => x;
    count(1);
  }
  for (const fibonacci of [load]) fibonacci();
  try {
    slow(3);
  } catch (count) {
    count();
  }
  var clean;
  clean = (x) => x;
  return clean(1);
}

count(['a']);
shadow(String, { lower });
[1, 2].map(fibonacci);
