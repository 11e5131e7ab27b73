import { MemoryRepository } from './memory';
import { Level, type Clock, type Repository, type User } from './model';

export class UserService {
  private level: Level = Level.Low;
  static instances: UserService[] = [];

  constructor(private readonly users: Repository<User>, private clock: Clock, fallback?: Repository<User>) {
    fallback?.find('root');
    UserService.instances.push(this);
  }

  rename(id: string, name: string): User {
    const user = this.users.find(id) ?? this.create(id);
    user.name = name;
    this.users.save(user);
    this.touch(this.clock.now());
    return user;
  }

  private create = (id: string): User => ({ id, name: '' });

  private touch(at: Date): void {
    if (this.level === Level.High) {
      UserService.instances.forEach((other) => other.touch(at));
    }
  }
}

class FixedClock implements Clock {
  now(): Date {
    return new Date(0);
  }
}

export function build(): UserService {
  const memory: Repository<User> = new MemoryRepository<User>();
  return new UserService(memory, new FixedClock());
}

export function warmUp(services: Map<string, UserService>, extra: ReadonlyArray<UserService>): void {
  for (const service of extra) service.rename('a', 'b');
  services.get('main')?.rename('b', 'c');
  const built = build();
  (built as UserService).rename('c', 'd');
  extra[0]!.rename('e', 'f');
}
