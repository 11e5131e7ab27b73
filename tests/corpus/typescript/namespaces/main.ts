import Geometry = require('./geometry');
import { Settings } from './settings';

const origin: Geometry.Point = { x: 0, y: 0 };

export function measure(line: Geometry.Line): number {
  return Geometry.Units.toMetres(line.length());
}

export function run(): void {
  const line = new Geometry.Line(origin, { x: 3, y: 4 });
  Settings.read('scale');
  Settings.Defaults.load();
  measure(line);
  Geometry.distance(origin, origin);
}
