import { Box, Button, makePanel } from '@ui/index';
import { theme as look } from 'common/config';
import * as ui from '../common/ui';

export function start(): void {
  const box = new Box();
  box.pressAll();
  makePanel('small').biggest()?.press();
  new ui.Button().press();
  look();
  const button: Button = new ui.Button();
  button.press();
}
