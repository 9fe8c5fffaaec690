import type { Started } from '../processes/processes.ts';

/** Longer than thousands of handshakes take on a slow machine. */
const patienceMs = 120_000;

/** Orders to a process of this benchmark and its answers. */
export class Dialogue<Order extends object, Answer extends { readonly kind: string }> {
  readonly #started: Started;
  readonly #signal: AbortSignal;

  constructor(started: Started, signal: AbortSignal) {
    this.#started = started;
    this.#signal = signal;
  }

  /** Gives an order and waits for its answer. */
  ask<Kind extends Answer['kind']>(order: Order, kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    const answer = this.next(kind);
    this.#started.process.send(order);
    return answer;
  }

  /** Waits for an answer of this kind. Rejects when the process ends, when it takes too long, and when aborted. */
  next<Kind extends Answer['kind']>(kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    const { process } = this.#started;
    const { promise, resolve, reject } = Promise.withResolvers<Extract<Answer, { kind: Kind }>>();
    const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(patienceMs)]);
    const onMessage = (message: unknown): void => {
      const said = message as Answer;
      if (said.kind === kind) resolve(said as Extract<Answer, { kind: Kind }>);
    };
    const onExit = (): void => {
      try {
        this.#started.checkRunning();
      } catch (error) {
        reject(error);
      }
    };
    const onAbort = (): void => reject(limit.reason as Error);
    process.on('message', onMessage);
    process.on('exit', onExit);
    limit.addEventListener('abort', onAbort);
    return promise.finally(() => {
      process.off('message', onMessage);
      process.off('exit', onExit);
      limit.removeEventListener('abort', onAbort);
    });
  }
}
