import { rpcErrors } from './errors.ts';

/** What grpc-js's calls tell of their end. */
export interface CancellableCall {
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

/** Aborts when the caller goes before it has its answer; grpc-js says `cancelled` of every call that was answered, too. */
export class Caller extends AbortController implements Disposable {
  readonly #call: CancellableCall;
  readonly #gone = (): void =>
    this.abort(rpcErrors.error('rpc_cancelled', 'expected the caller to wait, but it is gone'));

  constructor(call: CancellableCall) {
    super();
    this.#call = call;
    if (call.cancelled) this.#gone();
    else call.once('cancelled', this.#gone);
  }

  [Symbol.dispose](): void {
    this.#call.off('cancelled', this.#gone);
  }
}
