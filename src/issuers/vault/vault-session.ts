import { Backoff } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { errorCode, errorMessage, type AppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import { untilAborted } from '../../runtime/until-aborted.ts';
import type { VaultClient } from './vault-client.ts';
import type { VaultLogin } from './vault-login.ts';
import type { VaultMetrics } from './vault-metrics.ts';
import { tokenOf, type VaultToken } from './vault-token.ts';

export interface VaultSessionOptions {
  readonly client: Pick<VaultClient, 'write'>;
  readonly login: VaultLogin;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: VaultMetrics;
  readonly random?: () => number;
}

/** Between attempts to log in, and between log-ins that did not make a refused call work. */
const backoffPolicy = { minMs: 1_000, maxMs: 60_000, jitter: 0.2 };
const renewPath = 'auth/token/renew-self';
/** The share of its lease after which a token is renewed, less up to a tenth so that replicas do not come together. */
const renewAfter = 2 / 3;

/**
 * A log-in that is kept up: one at a time, renewed at two thirds of its lease, made anew when it can no longer be renewed or a
 * call is refused. The token itself leaves only as the header of a call.
 */
export class VaultSession {
  readonly #options: VaultSessionOptions;
  readonly #problem = new LatestValue<AppError | undefined>(undefined);
  readonly #random: () => number;
  readonly #failed: Backoff;
  readonly #uncured: Backoff;
  #ended: AbortSignal | undefined;
  #token: VaultToken | undefined;
  #flight: Promise<VaultToken> | undefined;
  /** While set, no caller's refusal leads to another log-in. */
  #holdOff: Timer | undefined;
  #cancelRenewal: () => void = () => undefined;

  constructor(options: VaultSessionOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#failed = new Backoff(backoffPolicy, this.#random);
    this.#uncured = new Backoff(backoffPolicy, this.#random);
  }

  /** Why the last log-in failed, until one succeeds. */
  get problem(): Latest<AppError | undefined> {
    return this.#problem;
  }

  /** Logs in, and stays so until the signal is aborted. */
  start(signal: AbortSignal): void {
    this.#ended = signal;
    const cancel = (): void => {
      this.#cancelRenewal();
      this.#holdOff?.cancel();
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#logIn().catch(() => undefined);
  }

  /**
   * Makes a call with the token. Where it is refused (403), logs in anew and makes it once more; where that does not help,
   * further refusals lead to a log-in only after growing pauses.
   */
  async call<T>(run: (token: string) => Promise<T>, signal: AbortSignal): Promise<T> {
    const token = await this.#present(signal);
    try {
      const answer = await run(token.value);
      if (this.#token === token) this.#uncured.reset();
      return answer;
    } catch (error) {
      if (errorCode(error) !== 'vault_forbidden' || this.#isUncured(token)) throw error;
      return await run((await this.#replace(token, signal)).value);
    }
  }

  /** Gives the token back, where it was made for this process. */
  async revoke(signal: AbortSignal): Promise<void> {
    const token = this.#token;
    this.#token = undefined;
    if (token?.own !== true) return;
    await this.#options.client.write('auth/token/revoke-self', {}, { signal, token: token.value });
  }

  #present(signal: AbortSignal): Promise<VaultToken> {
    if (this.#token !== undefined) return Promise.resolve(this.#token);
    if (this.#flight !== undefined) return untilAborted(this.#flight, signal);
    // The next attempt is on its way; callers do not hasten it.
    const problem = this.#problem.value;
    return problem === undefined ? untilAborted(this.#logIn(), signal) : Promise.reject(problem);
  }

  /** Whether a log-in a short while ago did not help, so that another would not either. */
  #isUncured(refused: VaultToken): boolean {
    return this.#token === refused && this.#flight === undefined && this.#holdOff !== undefined;
  }

  /** A token other than the one that was refused. */
  #replace(refused: VaultToken, signal: AbortSignal): Promise<VaultToken> {
    if (this.#token !== undefined && this.#token !== refused) return Promise.resolve(this.#token);
    if (this.#flight === undefined) {
      this.#holdOff = this.#options.clock.after(this.#uncured.next(), () => (this.#holdOff = undefined));
      this.#options.log.info({}, 'Vault refused a call; logging in anew');
    }
    return untilAborted(this.#flight ?? this.#logIn(), signal);
  }

  #logIn(): Promise<VaultToken> {
    this.#cancelRenewal();
    this.#flight ??= this.#attempt().finally(() => (this.#flight = undefined));
    return this.#flight;
  }

  async #attempt(): Promise<VaultToken> {
    const { login, log, metrics } = this.#options;
    const signal = this.#signal;
    try {
      const token = await login.logIn(signal);
      metrics.logins.inc({ result: 'ok' });
      const news = this.#token?.value !== token.value;
      if (news) log.info({ login: login.description, leaseSeconds: secondsOf(token) }, 'logged in to Vault');
      this.#failed.reset();
      this.#take(token);
      return token;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #take(token: VaultToken): void {
    this.#token = token;
    this.#problem.set(undefined);
    this.#options.metrics.tellLease(token.leaseMs);
    if (token.leaseMs !== Infinity) this.#later(token.leaseMs * this.#share, () => this.#renew(token));
  }

  #fail(error: unknown): void {
    const { login, log, metrics } = this.#options;
    if (this.#signal.aborted) return;
    metrics.logins.inc({ result: 'failed' });
    const waitMs = this.#failed.next();
    const reason = errorMessage(error);
    const fields = {
      login: login.description,
      reason,
      code: errorCode(error),
      retryInMs: Math.round(waitMs),
    };
    if (this.#problem.value?.code !== errorCode(error)) log.error(fields, 'could not log in to Vault');
    this.#problem.set(error as AppError);
    this.#later(waitMs, () => this.#logIn());
  }

  async #renew(token: VaultToken): Promise<unknown> {
    if (!token.renewable) return this.#logIn();
    const { client, log } = this.#options;
    try {
      const answer = await client.write(renewPath, {}, { signal: this.#signal, token: token.value });
      const { leaseMs, renewable } = tokenOf(answer, renewPath);
      // What is left of its greatest life is not worth renewing again.
      if (leaseMs < token.leaseMs * renewAfter) return await this.#logIn();
      if (this.#token === token)
        this.#take({ ...token, leaseMs: Math.max(leaseMs, token.leaseMs), renewable });
      return undefined;
    } catch (error) {
      if (this.#signal.aborted || this.#token !== token) return undefined;
      log.info({ reason: errorMessage(error) }, 'the token of Vault could not be renewed; logging in anew');
      return this.#logIn();
    }
  }

  /** Runs once after a while, unless something else is put in its place; what it rejects with has been told. */
  #later(ms: number, run: () => Promise<unknown>): void {
    this.#cancelRenewal();
    if (this.#signal.aborted) return;
    const timer = this.#options.clock.after(ms, () => void run().catch(() => undefined));
    this.#cancelRenewal = () => timer.cancel();
  }

  get #share(): number {
    return renewAfter * (1 - 0.1 * this.#random());
  }

  get #signal(): AbortSignal {
    if (this.#ended === undefined) throw new TypeError('expected a session that was started');
    return this.#ended;
  }
}

function secondsOf({ leaseMs }: VaultToken): number | undefined {
  return leaseMs === Infinity ? undefined : leaseMs / 1000;
}
