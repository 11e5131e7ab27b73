export class Ok<T> {
  constructor(readonly value: T) {}

  map<U>(change: (value: T) => U): Ok<U> {
    return ok(change(this.value));
  }

  unwrap(): T {
    return this.value;
  }
}

export class Err {
  constructor(readonly error: Error) {}

  map(): Err {
    return this;
  }

  unwrap(): never {
    throw this.error;
  }
}

export type Result<T> = Ok<T> | Err;

export const ok = <T>(value: T): Ok<T> => new Ok(value);

export function fail(text: string): Err {
  return new Err(new Error(text));
}
