function boot(start) {
  start();
  label: for (let i = 0; i < 3; i++) {
    if (i) continue label;
    replaceAll('x', 'y', 'z');
  }
}

document.addEventListener('load', function () {
  boot(function () {});
  arguments[0].preventDefault();
});

async function* pages() {
  yield* more();
  for await (const page of more()) {
    boot(page);
  }
}

function* more() {
  yield tag`page ${count()}`;
}

const tag = (strings, ...values) => strings.raw.join(values);
let count = () => 1;
count ??= () => 2;
