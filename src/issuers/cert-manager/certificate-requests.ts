import { createIfAbsent } from '../../kube/create-if-absent.ts';
import type { Collection } from '../../kube/collection.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { certificateRequests } from '../../kube/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { certManagerErrors } from './errors.ts';
import { requestStateOf, type CertificateRequest, type RequestState } from './request-state.ts';

export interface CertificateRequestsOptions {
  readonly client: Pick<KubeClient, 'create' | 'read' | 'remove'>;
  readonly namespace: string;
  /** Every request of the mesh, of all replicas, by `namespace/name`. */
  readonly followed: Collection<RequestState>;
  readonly clock: Clock;
  readonly log: Log;
  /** How many there may be at once. */
  readonly maxRequests: number;
  /** One that is older is nobody's any more. */
  readonly maxAgeMs: number;
  /** Requests are removed until this is aborted; the next process removes the others. */
  readonly signal: AbortSignal;
}

/** How often one may be deleted by others, or be there already and of no use, before that is told. */
const maxAttempts = 3;
const retryAfterMs = 5_000;
/** How often it is told that there is no room. */
const tellMs = 60_000;

/** The mesh's own `CertificateRequest`s: made, waited for, and removed. */
export class CertificateRequests {
  readonly #options: CertificateRequestsOptions;
  /** Names that are waited for here, and by how many. */
  readonly #waiting = new Map<string, number>();
  #fullToldMs = -Infinity;

  constructor(options: CertificateRequestsOptions) {
    this.#options = options;
  }

  /** What is known of the one of this name. */
  get(name: string): RequestState | undefined {
    return this.#options.followed.get(this.#key(name));
  }

  /**
   * Makes the request of this name, or takes up the one that is there, and waits until it is decided. It is removed then, and
   * when the caller goes away. When a deadline aborts `signal` (an error of kind `unavailable`) it stays for a while: whoever
   * asks again finds it where it stands, and a CA that is slower than the deadline gets on with its work all the same.
   */
  async settle(name: string, make: () => object, signal: AbortSignal): Promise<RequestState> {
    this.#checkRoom(name);
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
    let made = false;
    try {
      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const uid = await this.#submit(name, make, signal);
        made = true;
        const end = await this.#decided(name, uid, signal);
        if (end !== undefined) return end;
      }
      throw this.#failed(name, `it was deleted by somebody else ${maxAttempts} times`);
    } finally {
      const late = isAppError(signal.reason) && signal.reason.kind === 'unavailable';
      if (this.#leave(name) && (made || signal.aborted) && !late) void this.#remove(name);
    }
  }

  /** Removes what nobody waits for any more: left by a crash, by another replica, or past its deadline. */
  async sweep(): Promise<void> {
    for (const name of this.#leftOver()) await this.#remove(name);
  }

  #key(name: string): string {
    return `${this.#options.namespace}/${name}`;
  }

  /** Those that were made a moment ago may not have been told of yet. */
  #checkRoom(name: string): void {
    const { followed, maxRequests, clock, log } = this.#options;
    if (this.#waiting.has(name) || this.get(name) !== undefined) return;
    const untold = [...this.#waiting.keys()].filter((waiting) => this.get(waiting) === undefined);
    const present = untold.length + [...followed.entries()].length;
    if (present < maxRequests) return;
    const message = `expected fewer than ${maxRequests} CertificateRequests of the mesh to wait, got ${present}`;
    const nowMs = clock.now().getTime();
    if (nowMs - this.#fullToldMs >= tellMs) {
      this.#fullToldMs = nowMs;
      log.warn({ limit: maxRequests }, 'as many CertificateRequests of the mesh wait as are allowed');
    }
    throw certManagerErrors.error('certificate_requests_full', message);
  }

  /** Whether nobody else waits for it here. */
  #leave(name: string): boolean {
    const left = (this.#waiting.get(name) ?? 1) - 1;
    if (left > 0) this.#waiting.set(name, left);
    else this.#waiting.delete(name);
    return left === 0;
  }

  /** Gives the uid of a request that can still be answered. */
  async #submit(name: string, make: () => object, signal: AbortSignal): Promise<string> {
    const { client, namespace } = this.#options;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      try {
        const at = { namespace, name };
        const present = createIfAbsent<CertificateRequest>(client, certificateRequests, at, make(), signal);
        const { object, created } = await present;
        const state = requestStateOf(object);
        if (created || this.#isUsable(state)) return state.uid;
        await client.remove(certificateRequests, at, signal);
      } catch (error) {
        if (errorCode(error) !== 'kube_not_found' || attempt === maxAttempts) throw notMade(error);
      }
    }
    throw this.#failed(name, 'another one of its name came back again and again');
  }

  /** A request ends for good when it fails, and a certificate of yesterday is none for today. */
  #isUsable({ verdict, createdMs }: RequestState): boolean {
    const { clock, maxAgeMs } = this.#options;
    const young = clock.now().getTime() - createdMs <= maxAgeMs;
    return young && (verdict === 'pending' || verdict === 'issued');
  }

  /** Undefined when it is gone. */
  #decided(name: string, uid: string, signal: AbortSignal): Promise<RequestState | undefined> {
    const { followed } = this.#options;
    return new Promise((resolve, reject) => {
      let seen = false;
      const end = (): void => {
        stop();
        signal.removeEventListener('abort', abort);
      };
      const look = (): void => {
        const state = this.get(name);
        const mine = state?.uid === uid;
        if (mine ? state.verdict === 'pending' : !seen) {
          seen ||= mine;
          return;
        }
        end();
        resolve(mine ? state : undefined);
      };
      const abort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const stop = followed.subscribe(look);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      else look();
    });
  }

  #leftOver(): string[] {
    const { followed, clock, maxAgeMs } = this.#options;
    const tooOldMs = clock.now().getTime() - maxAgeMs;
    return [...followed.entries()]
      .filter(([, { createdMs }]) => createdMs < tooOldMs)
      .map(([key]) => key.slice(this.#key('').length))
      .filter((name) => !this.#waiting.has(name));
  }

  /** Never rejects: what stays is removed when it is old. */
  async #remove(name: string): Promise<void> {
    const { client, namespace, log, signal } = this.#options;
    try {
      await client.remove(certificateRequests, { namespace, name }, signal);
    } catch (error) {
      if (signal.aborted || errorCode(error) === 'kube_not_found') return;
      log.warn({ request: name, reason: errorMessage(error) }, 'a CertificateRequest could not be removed');
    }
  }

  #failed(name: string, reason: string): Error {
    const message = `expected the CertificateRequest ${this.#key(name)} to be signed, got none: ${reason}`;
    return certManagerErrors.error('certificate_request_failed', message, { retryAfterMs });
  }
}

/** An object that is refused would be so again; all else is about the API server, its webhooks or our rights. */
function notMade(error: unknown): unknown {
  const code = errorCode(error);
  if (!isAppError(error) || code?.startsWith('kube_') !== true) return error;
  const message = `expected the API server to take a CertificateRequest, got ${error.message}`;
  if (code === 'kube_invalid')
    return certManagerErrors.error('certificate_request_refused', message, { cause: error });
  const waitMs = error.retryAfterMs ?? retryAfterMs;
  return certManagerErrors.error('certificate_request_not_made', message, {
    cause: error,
    retryAfterMs: waitMs,
  });
}
