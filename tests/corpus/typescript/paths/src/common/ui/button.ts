import { theme } from '@config';

export class Button {
  press(): string {
    return theme().button;
  }
}
