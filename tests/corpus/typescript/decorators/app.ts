import { injectable, Input, logged } from './decorators';

@injectable({ scope: scopeName() })
export class Store {
  @Input() rows: string[] = emptyRows();

  @logged
  load(): string[] {
    return this.rows;
  }
}

@injectable({ scope: 'page' })
export class Page {
  constructor(private readonly store: Store) {}

  @logged
  show(): void {
    this.render(this.store.load());
  }

  private render(rows: string[]): void {
    rows.forEach(print);
  }
}

function scopeName(): string {
  return 'app';
}

function emptyRows(): string[] {
  return [];
}

function print(row: string): void {
  console.log(row);
}

export const page = new Page(new Store());
page.show();
