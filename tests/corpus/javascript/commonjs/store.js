const log = require('./logger');
const { EventEmitter } = require('events');

class Store extends EventEmitter {
  constructor(name) {
    super();
    this.name = name;
    this.rows = new Map();
  }

  save(key, row) {
    log.info(`save ${key}`);
    this.rows.set(key, this.check(row));
    this.emit('saved', key);
  }

  check(row) {
    if (!row) {
      throw new StoreError('no row');
    }
    return row;
  }

  static open(name) {
    return new Store(name);
  }
}

class StoreError extends Error {}

module.exports = Store;
module.exports.StoreError = StoreError;
