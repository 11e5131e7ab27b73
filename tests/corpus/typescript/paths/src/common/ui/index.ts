export * from './button';
export { Panel as Box, makePanel } from './panel.js';
export type { Size } from './panel.js';
