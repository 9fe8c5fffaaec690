import { Backoff } from '../runtime/backoff.ts';
import type { Clock, Timer } from '../runtime/clock.ts';
import { errorCode } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { LatestValue } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { microTime } from './micro-time.ts';
import { leases } from './resources.ts';

export interface LeaseElectionOptions {
  readonly client: Pick<KubeClient, 'read' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  /** Who this is: the pod's name, or another one that nobody else has. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter of waits. */
  readonly random?: () => number;
}

/** The durations that the Go client has as well: whoever does not renew for so long has lost it to whoever asks. */
const leaseMs = 15_000;
/** Held no longer than this without renewal, so that it has ended here before anybody else can have it. */
const renewalMs = 10_000;
const periodMs = 2_000;
/** How long giving it back may take at the end of the process. */
const giveBackMs = 2_000;

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/**
 * One of several replicas at a time, for what two must not both do. Judged by timers of this process alone, from when a
 * change of the lease was seen, so wall clocks that differ or are set do no harm.
 */
export class LeaseElection {
  readonly #options: LeaseElectionOptions;
  readonly #held = new LatestValue(false);
  /** Fires when the lease has to be given up. */
  #end: Timer | undefined;
  /** Another one's lease as it was last seen, and whether it has been like that for too long. */
  #other: { readonly version: string; readonly timer: Timer; over: boolean } | undefined;

  /** The code of the error that was told last. */
  #failure: string | undefined;

  constructor(options: LeaseElectionOptions) {
    this.#options = options;
  }

  /** Whether this one may act. False before the lease can be another one's. */
  get held(): Latest<boolean> {
    return this.#held;
  }

  /** Takes part until the signal is aborted, then gives the lease back if it is held. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const waits = new Backoff({ minMs: periodMs, maxMs: periodMs, jitter: 0.2 }, random);
    const ended = (): boolean => signal.aborted;
    while (!ended()) {
      await this.#attempt(signal).then(
        () => (this.#failure = undefined),
        (error: unknown) => {
          if (!ended()) this.#tell(error);
        },
      );
      await clock.sleep(waits.next(), signal).catch(() => undefined);
    }
    this.#other?.timer.cancel();
    if (this.#held.value) await this.#giveBack();
  }

  /** The time for which it is held begins before the request, which the API server may serve at any time since. */
  async #attempt(signal: AbortSignal): Promise<void> {
    const attempt = { late: false };
    const end = this.#options.clock.after(renewalMs, () => {
      attempt.late = true;
      this.#lose('it could not be renewed');
    });
    const taken = await this.#take(signal).catch((error: unknown) => {
      end.cancel();
      throw error;
    });
    if (taken && !attempt.late) this.#hold(end);
    else end.cancel();
    if (!taken) this.#lose('another one has it');
  }

  async #take(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name } = this.#options;
    const lease = await this.#read(signal);
    if (lease === undefined) {
      const fresh = { metadata: { namespace, name }, spec: this.#spec(undefined) };
      await client.create(leases, { namespace }, fresh, signal);
      return true;
    }
    if (!this.#isOurs(lease) && !this.#isOver(lease)) return false;
    await client.replace(leases, { namespace, name }, { ...lease, spec: this.#spec(lease) }, signal);
    return true;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      return await client.read<Lease>(leases, { namespace, name }, signal);
    } catch (error) {
      if (errorCode(error) === 'kube_not_found') return undefined;
      throw error;
    }
  }

  #isOurs(lease: Lease): boolean {
    return lease.spec?.holderIdentity === this.#options.identity;
  }

  /** Given back, or not renewed for its whole duration while it was looked at. */
  #isOver({ metadata, spec }: Lease): boolean {
    if (!spec?.holderIdentity) return true;
    const version = metadata.resourceVersion ?? '';
    if (this.#other?.version === version) return this.#other.over;
    this.#other?.timer.cancel();
    const durationMs = (spec.leaseDurationSeconds ?? leaseMs / 1000) * 1000;
    const timer = this.#options.clock.after(durationMs, () => {
      other.over = true;
    });
    const other = { version, timer, over: false };
    this.#other = other;
    return false;
  }

  #spec(before: Lease | undefined): Lease['spec'] {
    const now = microTime(this.#options.clock.now());
    const ours = before !== undefined && this.#isOurs(before);
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: leaseMs / 1000,
      acquireTime: (ours ? before.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (before === undefined || ours ? 0 : 1),
    };
  }

  #hold(end: Timer): void {
    this.#end?.cancel();
    this.#end = end;
    if (this.#held.value) return;
    this.#held.set(true);
    this.#options.log.info({ lease: this.#options.name }, 'lease taken');
  }

  #lose(reason: string): void {
    this.#end?.cancel();
    if (!this.#held.value) return;
    this.#held.set(false);
    this.#options.log.info({ lease: this.#options.name, reason }, 'lease lost');
  }

  #tell(error: unknown): void {
    const code = errorCode(error) ?? 'unexpected';
    // Another one was faster, as is to be expected of a race.
    if (code === this.#failure || code === 'kube_conflict' || code === 'kube_exists') return;
    this.#failure = code;
    this.#options.log.warn({ lease: this.#options.name, error }, 'the lease cannot be reached');
  }

  /** So that another one need not wait for its end. */
  async #giveBack(): Promise<void> {
    const { client, namespace, name, clock, log } = this.#options;
    this.#lose('given back');
    const deadline = new AbortController();
    const timer = clock.after(giveBackMs, () => deadline.abort(new Error('the process ends')));
    try {
      const lease = await this.#read(deadline.signal);
      if (lease === undefined || !this.#isOurs(lease)) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await client.replace(leases, { namespace, name }, { ...lease, spec }, deadline.signal);
    } catch (error) {
      log.debug({ lease: name, error }, 'lease not given back');
    } finally {
      timer.cancel();
    }
  }
}
