import type { Entity, Repository } from './model';

export class MemoryRepository<T extends Entity> implements Repository<T> {
  private rows = new Map<string, T>();

  find(id: string): T | undefined {
    return this.rows.get(id);
  }

  save(entity: T): void {
    this.validate(entity);
    this.rows.set(entity.id, entity);
  }

  protected validate(entity: T): void {
    if (!entity.id) throw new InvalidEntity('id');
  }
}

export class InvalidEntity extends Error {
  constructor(public readonly field: string) {
    super(message(field));
  }
}

const message = (field: string): string => `bad ${field}`;
