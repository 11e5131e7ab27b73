const { Queue, SortedQueue, Stack } = require('./queue');

function fill() {
  const queue = new Queue(3);
  queue.push({ rank: 1 }).push({ rank: 2 });
  const sorted = new SortedQueue(5);
  sorted.push({ rank: 3 });
  return sorted.first();
}

(function () {
  var stack = new Stack();
  stack.push(fill());
  fill.call(null);
  const bound = fill.bind(null);
  bound();
})();
