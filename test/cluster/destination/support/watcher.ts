import { destinationClient } from '../../../../src/rpc/destination-api.ts';
import type { Channel } from '../../../../src/rpc/channel.ts';
import { isAppError } from '../../../../src/runtime/errors.ts';
import { FoldedSet } from '../../../destination/support/folded-set.ts';

/** A stream of `Get` held open by a client that does what it is told. */
export class Watcher implements AsyncDisposable {
  /** `service.namespace:port` */
  readonly path: string;
  /** How many messages it was sent. */
  messages = 0;
  /** Why the stream has ended, which no stream here should. */
  broken: unknown;
  readonly #set = new FoldedSet();
  readonly #end = new AbortController();
  readonly #running: Promise<void>;

  constructor(channel: Channel, path: string) {
    this.path = path;
    this.#running = this.#follow(channel, path.replace(/(?=:\d+$)/, '.svc.cluster.local'));
  }

  /** Whether it was ended because it has not read for a minute. */
  get cutOff(): boolean {
    return isAppError(this.broken) && this.broken.kind === 'resource_exhausted';
  }

  /** `address:port` of each endpoint, in order. */
  get keys(): string[] {
    return this.#set.keys;
  }

  async #follow(channel: Channel, path: string): Promise<void> {
    const { signal } = this.#end;
    try {
      const question = { scheme: '', path, contextToken: '' };
      for await (const update of destinationClient(channel).get(question, signal)) {
        this.#set.apply([update]);
        this.messages += 1;
      }
      this.broken = 'it was ended';
    } catch (error) {
      if (!signal.aborted) this.broken = error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the test has seen enough'));
    await this.#running;
  }
}
