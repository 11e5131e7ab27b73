import { fail, ok, type Ok, type Result } from './result';

export class Box<Item extends { id: number }, Ok = string> {
  private items: Item[] = [];

  put(item: Item): this {
    this.items.push(this.check(item));
    return this;
  }

  first(): Item | undefined {
    return this.items[0];
  }

  private check(item: Item): Item {
    return item;
  }

  same(other: Ok): Ok {
    return other;
  }
}

export class Crate extends Box<{ id: number }> {
  weigh<Box>(scale: Box): number {
    return super.first()?.id ?? this.put({ id: 1 }).items.length;
  }
}

export function parse(text: string): Result<number> {
  const n = Number(text);
  return Number.isNaN(n) ? fail(text) : ok(n);
}

export function double(text: string): number {
  const good: Ok<number> = ok(2);
  const crate = new Crate().put({ id: 3 });
  good.map((n) => n * 2).unwrap();
  return crate.weigh(parse(text));
}
