export type Listener<T> = (event: T) => void;

export abstract class Emitter<T> {
  private listeners: Listener<T>[] = [];

  on(listener: Listener<T>): this {
    this.listeners.push(listener);
    return this;
  }

  protected emit(event: T): void {
    for (const listener of this.listeners) listener(event);
    this.after(event);
  }

  protected abstract after(event: T): void;
}
