import { DomainError } from '@earmark/kernel';

/** More work than is worth taking in: come again later. */
export class EngineBusyError extends DomainError {
  readonly code = 'engine.busy';
}

/** Lets a number of tasks run at a time and a number of others wait, first come first served. */
export class TaskGate {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * @param most tasks that run at a time, at least 1
   * @param mostWaiting tasks that wait, default any number
   */
  constructor(
    private readonly most: number,
    private readonly mostWaiting = Infinity,
  ) {}

  /**
   * Runs `work` when it is its turn.
   *
   * @throws {EngineBusyError} at once if too many wait already
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running >= this.most) {
      if (this.#waiting.length >= this.mostWaiting)
        throw new EngineBusyError(`${this.#waiting.length} others wait already`);
      await this.#turn(signal);
    } else this.#running++;
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Whoever is next takes over this one's place.
      if (next) next();
      else this.#running--;
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        const at = this.#waiting.indexOf(begin);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(begin);
      if (signal?.aborted === true) leave();
      else signal?.addEventListener('abort', leave, { once: true });
    });
  }
}
