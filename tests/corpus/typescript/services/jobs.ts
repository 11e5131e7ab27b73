import { Emitter } from './events';
import logger from './logger';
import * as retry from './retry';

export interface JobEvent {
  name: string;
}

export class JobQueue extends Emitter<JobEvent> {
  #running = 0;
  private readonly log = logger.child('jobs');

  async run(name: string): Promise<JobResult> {
    this.#running++;
    try {
      const result = await retry.attempt(() => this.execute(name), 3);
      this.emit({ name });
      return result;
    } finally {
      this.release();
    }
  }

  protected override after(event: JobEvent): void {
    this.log.info(event.name);
  }

  private async execute(name: string): Promise<JobResult> {
    return JobResult.of(name);
  }

  private release = (): void => {
    this.#running--;
    logger.info('released');
  };

  get running(): number {
    return this.#running;
  }

  set running(n: number) {
    this.#running = clampRunning(n);
  }
}

export class JobResult {
  private constructor(readonly text: string) {}

  static of(text: string): JobResult {
    return new JobResult(text);
  }

  print(): void {
    logger.info(this.text);
  }
}

function clampRunning(n: number): number {
  return Math.max(0, n);
}

export async function main(queue: JobQueue): Promise<void> {
  const result = await queue.run('a');
  result.print();
  queue.on(onEvent).run('b').then((second) => second.print());
  console.log(queue.running);
}

function onEvent(event: JobEvent): void {
  logger.info(event.name);
}
