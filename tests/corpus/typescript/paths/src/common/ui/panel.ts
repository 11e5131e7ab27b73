import { Button } from './button';

export type Size = 'small' | 'large';

export class Panel {
  buttons: Button[] = [];
  main?: Button;

  pressAll(): void {
    for (const button of this.buttons) button.press();
    this.main?.press();
  }

  biggest(): Button | undefined {
    return this.buttons.find((button) => button.press().length > 3);
  }
}

export const makePanel = (size: Size): Panel => new Panel();
