const createStore = require('./factory');
const { info, raw: plain } = require('./logger');
const helpers = require('./helpers');
const warn = require('./logger').warn;

function main() {
  const store = createStore('main');
  store.save(helpers.slug('a'), { id: 1 });
  info(helpers.title('b'));
  plain(helpers.nested.deep());
  warn('end');
}

if (require.main === module) {
  main();
}

require('./helpers').again('x');
