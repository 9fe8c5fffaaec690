import { Backoff } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import { identityErrors } from '../errors.ts';
import { KeySet } from './key-set.ts';
import type { TokenKeys } from './token-keys.ts';

/** Where a token issuer publishes its keys. */
export interface KeyDocument {
  /** For the log: a host. */
  readonly host: string;
  /** The JSON Web Key Set as it is now. */
  read(signal: AbortSignal): Promise<string>;
}

export interface PolledKeysOptions {
  readonly document: KeyDocument;
  readonly clock: Clock;
  readonly log: Log;
}

/** How old keys get while nothing asks for newer ones: this long a withdrawn key goes on being accepted. */
const refreshMs = 5 * 60_000;
/** Tokens that name unknown keys, which anybody can make, lead to no more than one request in this time. */
const minIntervalMs = 10_000;
const retryPolicy = { minMs: 1_000, maxMs: 60_000 };

/** Keys that their issuer publishes, read anew from time to time and when a token names an unknown one. */
export class PolledKeys implements TokenKeys {
  readonly #options: PolledKeysOptions;
  readonly #current = new LatestValue<KeySet | undefined>(undefined);
  readonly #problem = new LatestValue<string | undefined>(undefined);
  readonly #signal: AbortSignal;
  #loading: Promise<void> | undefined;
  #lastAttempt: Date | undefined;

  /** Nothing is read before `start`, nor after the signal is aborted. */
  constructor(options: PolledKeysOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  get current(): Latest<KeySet | undefined> {
    return this.#current;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Resolves when the first attempt has ended, well or not. */
  async start(): Promise<void> {
    await this.#load();
    void this.#keepFresh();
  }

  async refresh(signal: AbortSignal): Promise<void> {
    if (this.#loading !== undefined || !this.#isTooSoon()) await untilAborted(this.#load(), signal);
    const problem = this.#problem.value;
    if (problem === undefined) return;
    const message = `expected newer token keys, got none: ${problem}`;
    throw identityErrors.error('token_keys_unavailable', message, { retryAfterMs: minIntervalMs });
  }

  #isTooSoon(): boolean {
    if (this.#lastAttempt === undefined) return false;
    const elapsedMs = this.#options.clock.now().getTime() - this.#lastAttempt.getTime();
    // A clock that was set back must not keep new keys away.
    return elapsedMs >= 0 && elapsedMs < minIntervalMs;
  }

  async #keepFresh(): Promise<void> {
    const backoff = new Backoff(retryPolicy);
    try {
      for (;;) {
        if (this.#problem.value === undefined) backoff.reset();
        const waitMs = this.#problem.value === undefined ? refreshMs : backoff.next();
        await this.#options.clock.sleep(waitMs, this.#signal);
        await this.#load();
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
  }

  /** One request is in flight at a time; whoever comes meanwhile waits for it. Never rejects. */
  #load(): Promise<void> {
    if (this.#loading !== undefined) return this.#loading;
    this.#lastAttempt = this.#options.clock.now();
    this.#loading = this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    const { document, log } = this.#options;
    try {
      const keys = KeySet.parse(await document.read(this.#signal));
      if (this.#problem.value !== undefined || this.#current.value === undefined) {
        log.info({ host: document.host, count: keys.size }, 'token keys loaded');
      }
      this.#current.set(keys);
      this.#problem.set(undefined);
    } catch (error) {
      const reason = errorMessage(error);
      if (this.#signal.aborted || reason === this.#problem.value) return;
      log.warn({ host: document.host, reason }, 'token keys not loaded, those of before stay in use');
      this.#problem.set(reason);
    }
  }
}
