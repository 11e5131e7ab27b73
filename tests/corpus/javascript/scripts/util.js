// A script without modules: what it declares, all scripts of the page see.
var App = App || {};

App.escape = function (text) {
  return replaceAll(text, '<', '&lt;');
};

App.dom = {
  find: function (id) {
    return document.getElementById(id);
  },
  show: function (id) {
    return this.find(id);
  },
};

function replaceAll(text, from, to) {
  return text.split(from).join(to);
}

function start() {
  if (App.ready) {
    function inner() {
      return App.dom.show('main');
    }
    inner();
  }
  hoisted();
  function hoisted() {
    App.escape('<');
  }
}

start();

switch (App.mode) {
  case 1: {
    let start = function () {};
    start();
    break;
  }
  default:
    replaceAll('a', 'b', 'c');
}
