export * from './math.js';
export { default as total } from './math.js';
export * as strings from './strings.js';
