import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { IntermediateCa, IntermediateSource } from '../issuer.ts';
import type { IssuerMetrics } from '../issuer-metrics.ts';
import { decodeCa, verifyCa, type CaTrial } from './ca-candidate.ts';
import type { CaMaterial } from './ca-material.ts';

/** What a candidate is judged by, wherever it comes from. */
export interface VettingOptions {
  readonly anchors: Latest<TrustBundle | undefined>;
  /** A workload of the mesh, for the leaf that is signed on trial. */
  readonly identity: WorkloadIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: IssuerMetrics;
  /** How often certificates are looked at where nothing tells of a change. */
  readonly intervalMs: number;
}

/**
 * The CA in use. Every new content, every change of the anchors and every interval leads to the same judgement; a pair
 * that does not pass it never replaces one that does.
 */
export class VettedCa implements IntermediateSource {
  /** What the reader of the log knows the content as: `issuer files`. */
  readonly #what: string;
  readonly #options: VettingOptions;
  readonly #current = new LatestValue<IntermediateCa | undefined>(undefined);
  readonly #problem = new LatestValue<string | undefined>(undefined);
  /** Gives what was read last, or throws why it could not be read. */
  #read: (() => CaMaterial) | undefined;
  /** What was told of the present content, so that the same is not told at each interval. */
  #told: string | undefined;

  constructor(what: string, options: VettingOptions) {
    this.#what = what;
    this.#options = options;
  }

  get current(): Latest<IntermediateCa | undefined> {
    return this.#current;
  }

  get problem(): Latest<string | undefined> {
    return this.#problem;
  }

  /** Judges anew when the anchors change or time has passed, until the signal is aborted. */
  follow(signal: AbortSignal): void {
    signal.addEventListener(
      'abort',
      this.#options.anchors.subscribe(() => this.#judgeAnew()),
    );
    void this.#judgeAgain(signal);
  }

  /** There is something new, be it only that it cannot be read: then `read` throws why. */
  look(read: () => CaMaterial): void {
    this.#read = read;
    this.#options.metrics.candidates.inc({ result: this.#judgeAnew() ? 'taken' : 'refused' });
  }

  #judgeAnew(): boolean {
    this.#told = undefined;
    return this.#judge();
  }

  /** Time passes: a CA ends, or begins to be valid. */
  async #judgeAgain(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.#options;
    try {
      for (;;) {
        await clock.sleep(intervalMs, signal);
        this.#judge();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Whether what was read last is in use. */
  #judge(): boolean {
    if (this.#read === undefined) return false;
    const bundle = this.#options.anchors.value;
    if (bundle === undefined) {
      this.#problem.set('there are no trust anchors to verify the issuer with');
      return false;
    }
    try {
      const pair = this.#sameAsBefore(decodeCa(this.#read(), bundle));
      this.#take(verifyCa(pair, this.#trial(bundle)));
      return true;
    } catch (error) {
      this.#refuse(error);
      return false;
    }
  }

  #take(ca: IntermediateCa): void {
    const before = this.#current.value;
    const isNew = before?.pair !== ca.pair;
    const { label, fingerprint } = ca.pair.certificate;
    if (isNew) {
      this.#options.log.info({ issuer: label, fingerprint, until: ca.notAfter }, 'issuer loaded');
    }
    if (isNew || before.notAfter.getTime() !== ca.notAfter.getTime()) this.#current.set(ca);
    this.#problem.set(undefined);
    this.#told = undefined;
  }

  /** The last good pair stays in use, unless it is no longer good itself. */
  #refuse(error: unknown): void {
    const { anchors, log } = this.#options;
    const reason = errorMessage(error);
    const present = this.#current.value;
    const good = present !== undefined && anchors.value !== undefined && this.#isGood(present, anchors.value);
    const fields = { reason, inUse: good ? present.pair.certificate.label : 'none' };
    // Not the reason itself: it may hold the time of the judgement, and would be another one at each interval.
    const told = `${errorCode(error) ?? reason} ${fields.inUse}`;
    if (told !== this.#told) {
      this.#told = told;
      if (good) log.warn(fields, `${this.#what} refused, the last good pair stays in use`);
      else if (present === undefined && errorCode(error) === 'issuer_files_incomplete')
        log.warn(fields, `${this.#what} not there yet, and nothing can be signed before`);
      else log.error(fields, `${this.#what} refused, and there is no good pair to go on with`);
      this.#problem.set(reason);
    }
    if (!good) this.#current.set(undefined);
  }

  #isGood(ca: IntermediateCa, bundle: TrustBundle): boolean {
    try {
      verifyCa(ca.pair, this.#trial(bundle));
      return true;
    } catch {
      return false;
    }
  }

  #trial(bundle: TrustBundle): CaTrial {
    const { clock, identity } = this.#options;
    return { bundle, identity, now: clock.now() };
  }

  /** One object for one pair, however often it is read: others keep by it what they derive from the pair. */
  #sameAsBefore(pair: CaKeyPair): CaKeyPair {
    const before = this.#current.value?.pair;
    const sameChain =
      before?.chain.length === pair.chain.length &&
      before.chain.every((certificate, at) => pair.chain[at]?.equals(certificate));
    return sameChain && before.certificate.equals(pair.certificate) ? before : pair;
  }
}
