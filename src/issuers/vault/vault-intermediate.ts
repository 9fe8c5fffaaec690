import type { KeyObject } from 'node:crypto';
import { encodePrivateKey, generateKeyPair } from '../../pki/keys.ts';
import { Backoff } from '../../runtime/backoff.ts';
import { sleepUntil } from '../../runtime/clock.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import { LatestValue, type Latest } from '../../runtime/latest.ts';
import type { IntermediateCa, IntermediateSource } from '../issuer.ts';
import { VettedCa, type VettingOptions } from '../local/vetted-ca.ts';
import { intermediateRequest } from './intermediate-request.ts';
import { pkiAnswer } from './pki-answer.ts';
import type { PkiPaths } from './pki-paths.ts';
import type { VaultClient } from './vault-client.ts';
import type { VaultSession } from './vault-session.ts';

export interface VaultIntermediateOptions extends VettingOptions {
  readonly client: Pick<VaultClient, 'write'>;
  readonly session: Pick<VaultSession, 'call'>;
  readonly paths: Pick<PkiPaths, 'signIntermediate'>;
  readonly lifetimeMs: number;
  readonly random?: () => number;
}

const retryPolicy = { minMs: 2_000, maxMs: 60_000, jitter: 0.2 };
/** The share of its life after which an intermediate is replaced, less up to a tenth so that replicas do not come together. */
const renewAfter = 0.5;

/**
 * A CA of this replica alone, that Vault signs: its key is made here, is never written anywhere and ends with the process. It
 * is replaced at half of its life; while Vault is away the present one stays in use.
 */
export class VaultIntermediate implements IntermediateSource {
  readonly #options: VaultIntermediateOptions;
  readonly #vetted: VettedCa;
  readonly #random: () => number;
  readonly #problem = new LatestValue<string | undefined>('Vault has not been asked yet');
  /** Why there is no newer one. */
  #notRenewed: string | undefined;

  constructor(options: VaultIntermediateOptions) {
    this.#options = options;
    this.#vetted = new VettedCa('intermediate of Vault', options);
    this.#random = options.random ?? Math.random;
  }

  get current(): Latest<IntermediateCa | undefined> {
    return this.#vetted.current;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Has an intermediate signed, and keeps it fresh until the signal is aborted. */
  start(signal: AbortSignal): void {
    this.#vetted.follow(signal);
    const stop = this.#vetted.problem.subscribe(() => this.#tell());
    signal.addEventListener('abort', stop, { once: true });
    this.#keepFresh(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  async #keepFresh(signal: AbortSignal): Promise<void> {
    const { anchors, clock } = this.#options;
    const backoff = new Backoff(retryPolicy, this.#random);
    await anchors.until((bundle) => bundle !== undefined, signal);
    for (;;) {
      if (await this.#replace(signal)) {
        backoff.reset();
        await this.#untilDue(signal);
      } else {
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  /** Half of its life is over, or it is no longer good: the anchors changed. */
  async #untilDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const present = this.current.value?.pair.certificate;
    if (present === undefined) return;
    const [from, to] = [present.notBefore.getTime(), present.notAfter.getTime()];
    const halfLife = from + (to - from) * renewAfter * (1 - 0.1 * this.#random());
    // Vault dates back: below a CA that is about to end, half of it may be over at once, again and again.
    const due = new Date(Math.max(halfLife, clock.now().getTime() + retryPolicy.minMs));
    const early = new AbortController();
    const stop = this.current.subscribe((ca) => ca === undefined && early.abort());
    try {
      await sleepUntil(clock, due, AbortSignal.any([signal, early.signal]), present.notBefore);
    } catch {
      signal.throwIfAborted();
    } finally {
      stop();
    }
  }

  async #replace(signal: AbortSignal): Promise<boolean> {
    const { privateKey: key } = generateKeyPair();
    try {
      const certificates = await this.#ask(key, signal);
      const material = { certificates, privateKey: encodePrivateKey(key) };
      this.#vetted.look(() => material);
      this.#notRenewed = undefined;
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      this.#fail(error);
      return false;
    }
    this.#tell();
    // The one that was refused is told of by whoever refused it, and the last good one may still be in use.
    const [got] = this.current.value === undefined ? [] : [this.current.value.pair.key];
    return got !== undefined && got.equals(key);
  }

  /** As PEM, the new CA first; it may sign names of this trust domain and no further CA. */
  async #ask(key: KeyObject, signal: AbortSignal): Promise<string> {
    const { client, session, paths, identity, lifetimeMs } = this.#options;
    const body = intermediateRequest(key, identity, lifetimeMs);
    const path = paths.signIntermediate;
    const answer = await session.call((token) => client.write(path, body, { token, signal }), signal);
    const { certificate, others, warnings } = pkiAnswer(answer, path);
    if (warnings.length > 0) this.#options.log.warn({ warnings }, 'Vault signs, with a warning');
    return [certificate, ...others].map(({ pem }) => pem).join('');
  }

  #fail(error: Error): void {
    const reason = errorMessage(error);
    if (this.#notRenewed === undefined) {
      const until = this.current.value?.notAfter;
      this.#options.log.error({ reason, code: errorCode(error), until }, 'Vault gave no intermediate');
    }
    this.#notRenewed = reason;
    this.#tell();
  }

  #tell(): void {
    this.#problem.set(this.#notRenewed ?? this.#vetted.problem.value);
  }
}
