import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import { RESERVE } from '../rpc/renewal-schedule.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Caller } from './admission.ts';
import type { VerifiedToken } from './token/token-verifier.ts';

/** A workload that has proved who it is. */
export interface Holder {
  readonly identity: WorkloadIdentity;
  readonly token: Pick<VerifiedToken, 'podUid'>;
  readonly caller: Caller;
}

/** What a workload was given last, and whether it is still there. */
export interface Holding {
  readonly identity: string;
  readonly endMs: number;
  /** Without a word until then it is taken for gone: its renewal is overdue. */
  quietMs: number;
}

/** Workloads of a large cluster; about 30 MB. */
const most = 200_000;

/** A renewal is overdue when a third of the reserve is used up without a word. */
const overdueShare = 1 - RESERVE * (2 / 3);

/**
 * The certificates that this replica gave and that have not ended, the last one of each pod; of workloads that are no pods,
 * of each name and address. In memory only: a replica that starts knows nothing, and learns all within one lifetime.
 */
export class Holdings {
  readonly since: Date;
  readonly #clock: Clock;
  readonly #most: number;
  /** By the order of issuance, which is nearly that of their ends. */
  readonly #held = new Map<string, Holding>();
  #forgotten = 0;

  constructor(clock: Clock, mostHeld = most) {
    this.#clock = clock;
    this.#most = mostHeld;
    this.since = clock.now();
  }

  /** How many had to be forgotten although their certificates were good. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /**
   * A workload asks, so it is there. Gives until when it is known to hold a certificate: by the one that its connection
   * shows, or by what this replica gave to its pod, whichever lasts longer (a connection shows the certificate that was
   * new when it was made). Nothing that it merely says counts.
   */
  asked(holder: Holder): Date | undefined {
    const { identity, token, caller } = holder;
    const nowMs = this.#clock.now().getTime();
    const held = this.#held.get(keyOf(holder));
    if (held !== undefined) held.quietMs = held.endMs;
    const remembered = token.podUid === undefined ? 0 : (held?.endMs ?? 0);
    const shown = caller.name === identity.dnsName ? (caller.goodUntil?.getTime() ?? 0) : 0;
    const endMs = Math.max(remembered, shown);
    return endMs > nowMs ? new Date(endMs) : undefined;
  }

  given(holder: Holder, notAfter: Date): void {
    const nowMs = this.#clock.now().getTime();
    const endMs = notAfter.getTime();
    const key = keyOf(holder);
    this.#held.delete(key);
    this.#held.set(key, {
      identity: holder.identity.dnsName,
      endMs,
      quietMs: nowMs + (endMs - nowMs) * overdueShare,
    });
    this.#drop(nowMs);
  }

  /** Those that have not ended. */
  *current(): Generator<Holding> {
    const nowMs = this.#clock.now().getTime();
    for (const holding of this.#held.values()) if (holding.endMs > nowMs) yield holding;
  }

  /** One goes for each that comes, so two are looked at. */
  #drop(nowMs: number): void {
    let looked = 0;
    for (const [key, { endMs }] of this.#held) {
      const ended = endMs <= nowMs;
      const tooMany = this.#held.size > this.#most;
      if (looked === 2 || !(ended || tooMany)) return;
      if (!ended) this.#forgotten += 1;
      this.#held.delete(key);
      looked += 1;
    }
  }
}

function keyOf({ identity, token, caller }: Holder): string {
  return token.podUid ?? `${identity.dnsName} at ${caller.address}`;
}
