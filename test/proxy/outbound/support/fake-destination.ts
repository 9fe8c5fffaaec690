import { destinationService } from '../../../../src/rpc/destination-api.ts';
import type { DestinationProfile, GetDestination, Update } from '../../../../src/rpc/destination-api.ts';
import { AppError } from '../../../../src/runtime/errors.ts';
import type { ErrorKind } from '../../../../src/runtime/errors.ts';
import { eventually } from '../../../support/eventually.ts';

/** One open stream of the fake, for the test to speak on. */
export interface FakeStream<M> {
  readonly request: GetDestination;
  /** Whether the proxy has left. */
  readonly left: boolean;
  send(message: M): void;
  /** Ends it in order. */
  end(): void;
  fail(kind: ErrorKind): void;
}

interface Waiting {
  readonly profile: FakeStream<DestinationProfile>[];
  readonly get: FakeStream<Update>[];
}

/** A destination service that says what the test tells it to, and nothing else. */
export class FakeDestination {
  /** Every stream that was opened, in order. */
  readonly streams: Waiting = { profile: [], get: [] };
  readonly service = destinationService({
    get: (request, call, out) => {
      const unsent: Update[] = [];
      return this.#open(this.streams.get, request, call.signal, (message) => {
        unsent.push(message);
        out.writeMade(() => unsent.splice(0));
      });
    },
    getProfile: (request, call, out) =>
      this.#open(this.streams.profile, request, call.signal, (message) => out.write(message)),
  });

  /** The nth stream (from 0) that asked for a profile, once it is there. */
  profile(index = 0): Promise<FakeStream<DestinationProfile>> {
    return eventually(() => found(this.streams.profile[index]));
  }

  /** The same for the endpoints of a name. */
  get(index = 0): Promise<FakeStream<Update>> {
    return eventually(() => found(this.streams.get[index]));
  }

  #open<M>(
    streams: FakeStream<M>[],
    request: GetDestination,
    signal: AbortSignal,
    send: (message: M) => void,
  ) {
    return new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      streams.push({
        request,
        get left() {
          return signal.aborted;
        },
        send,
        end: resolve,
        fail: (kind) => reject(new AppError('scripted', kind, `the test said ${kind}`)),
      });
    });
  }
}

function found<T>(stream: T | undefined): T {
  if (stream === undefined) throw new Error('expected a stream, got none yet');
  return stream;
}
