var util = require('util');

function Queue(limit) {
  this.limit = limit || Queue.defaultLimit();
  this.items = [];
  this.size = function () {
    return this.items.length;
  };
}

Queue.defaultLimit = function () {
  return 10;
};

Queue.prototype.push = function push(item) {
  if (this.isFull()) {
    this.grow(2);
  }
  this.items.push(item);
  return this;
};

Queue.prototype.isFull = function () {
  return this.size() >= this.limit;
};

Queue.prototype.grow = function (factor) {
  this.limit = round(this.limit * factor);
};

function round(n) {
  return Math.round(n);
}

function SortedQueue(limit) {
  Queue.call(this, limit);
}

util.inherits(SortedQueue, Queue);

SortedQueue.prototype.first = function () {
  this.sort();
  return this.items[0];
};

SortedQueue.prototype.sort = function () {
  this.items.sort(compare);
  this.grow(1);
};

function compare(a, b) {
  return rank(a) - rank(b);
}

function rank(item) {
  return item.rank;
}

function Stack() {}

Stack.prototype = {
  push: function (item) {
    this.check(item);
  },
  check(item) {
    return rank(item);
  },
};

module.exports = { Queue: Queue, SortedQueue, Stack };
