import { destinationClient } from '../../../../src/rpc/destination-api.ts';
import type { Update, WeightedAddr } from '../../../../src/rpc/destination-api.ts';
import type { Channel } from '../../../../src/rpc/channel.ts';
import { isAppError } from '../../../../src/runtime/errors.ts';
import { FoldedSet } from '../../../destination/support/folded-set.ts';
import { HeldStream } from './held-stream.ts';

/** A stream of `Get` held open by a client that does what it is told. */
export class Watcher implements AsyncDisposable {
  /** `service.namespace:port` */
  readonly path: string;
  readonly #set = new FoldedSet();
  readonly #stream: HeldStream<Update>;

  constructor(channel: Channel, path: string, contextToken = '') {
    this.path = path;
    const question = { scheme: '', path: path.replace(/(?=:\d+$)/, '.svc.cluster.local'), contextToken };
    this.#stream = new HeldStream(
      (signal) => destinationClient(channel).get(question, signal),
      (update) => this.#set.apply([update]),
    );
  }

  /** How many messages it was sent. */
  get messages(): number {
    return this.#stream.messages;
  }

  /** Why the stream has ended, which no stream here should. */
  get broken(): unknown {
    return this.#stream.broken;
  }

  /** Whether it was ended because it has not read for a minute. */
  get cutOff(): boolean {
    return isAppError(this.broken) && this.broken.kind === 'resource_exhausted';
  }

  /** `address:port` of each endpoint, in order. */
  get keys(): string[] {
    return this.#set.keys;
  }

  /** `undefined` until the first message. */
  get exists(): boolean | undefined {
    return this.#set.exists;
  }

  /** What is told of the endpoint at `address:port`. */
  at(key: string): WeightedAddr | undefined {
    return this.#set.at(key);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}
