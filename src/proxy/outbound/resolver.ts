import type { BackoffPolicy } from '../../runtime/backoff.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Latest } from '../../runtime/latest.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { Outages } from '../outages.ts';
import { Balancer } from './balancer.ts';
import type { Endpoint } from './endpoint.ts';
import { outboundErrors } from './errors.ts';
import { Lookup } from './lookup.ts';
import type { LookupOptions, LookupState } from './lookup.ts';
import { planLookup } from './lookup-scope.ts';
import type { LookupScope } from './lookup-scope.ts';

/** A target for as long as one connection needs it. `release` is called once. */
export interface Lease {
  readonly state: Latest<LookupState>;
  /** Holds the endpoints of `state` that may be dialled. */
  readonly balancer: Balancer;
  release(): void;
}

export interface ResolverOptions {
  readonly lookup: LookupOptions;
  readonly scope: LookupScope;
  /** Addresses of this pod: an endpoint there is reached without leaving it (contract 3.6, reason `loopback`). */
  readonly localAddresses: ReadonlySet<string>;
  /** How long an endpoint that failed is left out. */
  readonly ejection: BackoffPolicy;
  /** How long a target is kept after its last connection. */
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

interface Entry {
  readonly lookup: Pick<Lookup, 'state' | 'away' | 'close'>;
  readonly balancer: Balancer;
  users: number;
  /** Ends the entry when nobody has used it for a while, or a while after it was refused. */
  idle: Timer | undefined;
  retire: Timer | undefined;
}

/** What is known of each target in use, kept up to date by one lookup each. */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #outages = new Outages<string>();

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** Why discovery is away for some target, while it is; the endpoints known then stay in use. */
  get away(): Latest<string | undefined> {
    return this.#outages.first;
  }

  lease(target: SocketAddress): Lease {
    const key = formatSocketAddress(target);
    const entry = this.#entries.get(key) ?? this.#enter(key, target);
    entry.users += 1;
    entry.idle?.cancel();
    entry.idle = undefined;
    let released = false;
    return {
      state: entry.lookup.state,
      balancer: entry.balancer,
      release: () => {
        if (released) return;
        released = true;
        entry.users -= 1;
        if (entry.users === 0) this.#expireLater(key, entry);
      },
    };
  }

  close(): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  #enter(key: string, target: SocketAddress): Entry {
    const { clock, random, ejection } = this.#options;
    const balancer = new Balancer({ clock, random, backoff: ejection });
    const lookup = this.#look(target);
    const entry: Entry = { lookup, balancer, users: 0, idle: undefined, retire: undefined };
    const take = (state: LookupState): void => {
      balancer.update(this.#usable(state));
      if (state.kind === 'refused') this.#retireLater(key, entry);
    };
    this.#entries.set(key, entry);
    take(lookup.state.value);
    lookup.state.subscribe(take);
    lookup.away.subscribe((reason) => this.#outages.set(key, reason));
    return entry;
  }

  #look(target: SocketAddress): Entry['lookup'] {
    switch (planLookup(target.host, this.#options.scope)) {
      case 'look-up':
        return new Lookup(target, this.#options.lookup);
      case 'pass-through':
        return settled({ kind: 'known', endpoints: [plainEndpoint(target)] });
      case 'refuse': {
        const message = `expected a name that discovery may be asked for, got ${target.host}`;
        return settled({ kind: 'refused', cause: outboundErrors.error('outbound_not_looked_up', message) });
      }
    }
  }

  #usable(state: LookupState): Endpoint[] {
    if (state.kind !== 'known') return [];
    return state.endpoints
      .map((endpoint): Endpoint =>
        this.#options.localAddresses.has(endpoint.host)
          ? { ...endpoint, security: { kind: 'plain', reason: 'loopback' } }
          : endpoint,
      )
      .filter(({ security }) => security.kind !== 'refused');
  }

  #expireLater(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    entry.idle = this.#options.clock.after(this.#options.idleTimeoutMs, () => {
      // What is known of a target cannot be had again while discovery is away.
      const keep = entry.lookup.away.value !== undefined && entry.lookup.state.value.kind === 'known';
      if (keep) this.#expireLater(key, entry);
      else this.#drop(key, entry);
    });
  }

  /** A refusal may end the lookup, so that only a new entry can learn that things have changed. */
  #retireLater(key: string, entry: Entry): void {
    entry.retire?.cancel();
    entry.retire = this.#options.clock.after(this.#options.idleTimeoutMs, () => {
      if (entry.lookup.state.value.kind === 'refused') this.#drop(key, entry);
    });
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    entry.idle?.cancel();
    entry.retire?.cancel();
    entry.lookup.close();
    entry.balancer.close();
  }
}

function settled(state: LookupState): Entry['lookup'] {
  return {
    state: new LatestValue(state),
    away: new LatestValue<string | undefined>(undefined),
    close: () => undefined,
  };
}

function plainEndpoint({ host, port }: SocketAddress): Endpoint {
  const security = { kind: 'plain', reason: 'not_provided_by_service_discovery' } as const;
  return { key: formatSocketAddress({ host, port }), host, port, security, labels: {} };
}
