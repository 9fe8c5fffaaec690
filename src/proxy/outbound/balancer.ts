import { Backoff } from '../../runtime/backoff.ts';
import type { BackoffPolicy } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Endpoint } from './endpoint.ts';

/** One endpoint picked for one connection. `release` is called once, when the connection is over. */
export interface Choice {
  readonly endpoint: Endpoint;
  /** The endpoint took the connection: its failures are forgiven. */
  readonly succeeded: () => void;
  /** The endpoint did not take the connection: it is left out for a while, longer each time. */
  readonly failed: () => void;
  readonly release: () => void;
}

interface Standing {
  endpoint: Endpoint;
  inFlight: number;
  readonly backoff: Backoff;
  ejected: { readonly untilMs: number; readonly timer: Timer } | undefined;
}

/**
 * Spreads the connections of one target over its endpoints: of two picked at random the one with
 * fewer open connections, which is close to the best choice and never sends a herd to one endpoint.
 * An endpoint that failed is left out until its back-off is over; when all are left out the one
 * that comes back soonest is tried all the same, since refusing would help nobody.
 */
export class Balancer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: BackoffPolicy;
  #standings = new Map<string, Standing>();
  #all: Standing[] = [];
  #ejectedCount = 0;

  constructor(options: { clock: Clock; random: () => number; backoff: BackoffPolicy }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#backoff = options.backoff;
  }

  /** Takes the endpoints as they now are; those that stay keep their connections and failures. */
  update(endpoints: readonly Endpoint[]): void {
    const next = new Map<string, Standing>();
    for (const endpoint of endpoints) {
      const standing = this.#standings.get(endpoint.key) ?? this.#newcomer(endpoint);
      standing.endpoint = endpoint;
      next.set(endpoint.key, standing);
    }
    for (const [key, standing] of this.#standings) if (!next.has(key)) this.#readmit(standing);
    this.#standings = next;
    this.#all = [...next.values()];
  }

  /** Picks an endpoint whose key is not in `tried`; undefined when there is none left. */
  pick(tried: ReadonlySet<string>): Choice | undefined {
    const standing = this.#choose(tried);
    if (standing === undefined) return undefined;
    standing.inFlight += 1;
    let released = false;
    return {
      endpoint: standing.endpoint,
      succeeded: () => {
        standing.backoff.reset();
        this.#readmit(standing);
      },
      failed: () => this.#eject(standing),
      release: () => {
        if (!released) standing.inFlight -= 1;
        released = true;
      },
    };
  }

  /** Forgets every endpoint and stops the timers. */
  close(): void {
    this.update([]);
  }

  #newcomer(endpoint: Endpoint): Standing {
    return { endpoint, inFlight: 0, backoff: new Backoff(this.#backoff, this.#random), ejected: undefined };
  }

  #choose(tried: ReadonlySet<string>): Standing | undefined {
    const left = tried.size === 0 ? this.#all : this.#all.filter(({ endpoint }) => !tried.has(endpoint.key));
    const free = this.#ejectedCount === 0 ? left : left.filter(({ ejected }) => ejected === undefined);
    return free.length > 0 ? this.#lessBusyOfTwo(free) : soonest(left);
  }

  #lessBusyOfTwo(standings: readonly Standing[]): Standing | undefined {
    const first = this.#below(standings.length);
    if (standings.length === 1) return standings[first];
    const drawn = this.#below(standings.length - 1);
    const second = drawn < first ? drawn : drawn + 1;
    const [a, b] = [standings[first], standings[second]];
    return a !== undefined && b !== undefined && b.inFlight < a.inFlight ? b : a;
  }

  #below(limit: number): number {
    return Math.min(limit - 1, Math.floor(this.#random() * limit));
  }

  #eject(standing: Standing): void {
    // Connections that fail together are one failure, and an endpoint may be gone before they fail.
    if (standing.ejected !== undefined || this.#standings.get(standing.endpoint.key) !== standing) return;
    const ms = standing.backoff.next();
    const timer = this.#clock.after(ms, () => this.#readmit(standing));
    standing.ejected = { untilMs: this.#clock.now().getTime() + ms, timer };
    this.#ejectedCount += 1;
  }

  #readmit(standing: Standing): void {
    if (standing.ejected === undefined) return;
    standing.ejected.timer.cancel();
    standing.ejected = undefined;
    this.#ejectedCount -= 1;
  }
}

function soonest(standings: readonly Standing[]): Standing | undefined {
  const untilMs = ({ ejected }: Standing): number => ejected?.untilMs ?? 0;
  return standings.reduce<Standing | undefined>(
    (best, standing) => (best === undefined || untilMs(standing) < untilMs(best) ? standing : best),
    undefined,
  );
}
