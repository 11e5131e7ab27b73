export interface Entity {
  readonly id: string;
}

export interface Repository<T extends Entity> {
  find(id: string): T | undefined;
  save(entity: T): void;
  onChange?: (entity: T) => void;
}

export type User = Entity & { name: string };

export type Clock = {
  now(): Date;
};

export enum Level {
  Low = 1,
  High = compute(2),
}

function compute(n: number): number {
  return n * 10;
}
