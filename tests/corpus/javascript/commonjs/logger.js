'use strict';

function format(level, text) {
  return `${level}: ${text}`;
}

exports.info = function (text) {
  write(format('info', text));
};

exports.warn = (text) => write(format('warn', text));

function write(line) {
  process.stdout.write(line + '\n');
}

exports.raw = write;
