import type { InboundPolicyClient, Server } from '../../rpc/inbound-policy-api.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import { followStream } from '../control-stream.ts';
import type { ControlStreamOptions } from '../control-stream.ts';
import { Outages } from '../outages.ts';
import { readPolicy } from './read-policy.ts';
import { invalidPolicy } from './server-policy.ts';
import type { ServerPolicy } from './server-policy.ts';

export interface PolicyStoreOptions {
  readonly client: Pick<InboundPolicyClient, 'watchPort'>;
  /** Names this workload to the policy service, which alone reads it. */
  readonly workload: string;
  /** What holds on a port that the policy service has not answered for. */
  readonly defaultPolicy: (port: number) => ServerPolicy;
  /** Ports that are watched from the start and never given up. */
  readonly ports: Iterable<number>;
  /** How long the policy of another port is kept after its last connection. */
  readonly idleMs: number;
  readonly stream: ControlStreamOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends all watches. */
  readonly signal: AbortSignal;
}

/** The policy of one port, for as long as the holder needs it. */
export interface PolicyLease {
  readonly policy: Latest<ServerPolicy>;
  release(): void;
}

/** Policies kept for ports without a connection: whoever scans the ports of a pod must not make it watch them all. */
const maxIdle = 256;

interface Entry {
  readonly policy: LatestValue<ServerPolicy>;
  readonly stop: AbortController;
  holders: number;
}

/**
 * Keeps the policies of ports (contract 5.4): each is watched from its first connection until it has been idle for a
 * while. While there is no answer the default holds, and the last answer while there is no further one.
 */
export class PolicyStore {
  readonly #options: PolicyStoreOptions;
  readonly #named: ReadonlySet<number>;
  readonly #entries = new Map<number, Entry>();
  readonly #outages = new Outages<number>();
  /** Ports without a connection, the one that is so for longest first. */
  readonly #idle = new Map<number, Timer>();

  constructor(options: PolicyStoreOptions) {
    this.#options = options;
    this.#named = new Set(options.ports);
    for (const port of this.#named) this.lease(port);
  }

  /** Why the policy service is away for some port, while it is; the policies known then hold on. */
  get away(): Latest<string | undefined> {
    return this.#outages.first;
  }

  lease(port: number): PolicyLease {
    const entry = this.#entries.get(port) ?? this.#watch(port);
    entry.holders++;
    this.#idle.get(port)?.cancel();
    this.#idle.delete(port);
    let released = false;
    const release = (): void => {
      if (!released && --entry.holders === 0) this.#rest(port);
      released = true;
    };
    return { policy: entry.policy, release };
  }

  #watch(port: number): Entry {
    const { client, workload, defaultPolicy, stream, signal } = this.#options;
    const log = this.#options.log.child({ port });
    const policy = new LatestValue(defaultPolicy(port));
    const stop = new AbortController();
    const watch = {
      open: (until: AbortSignal) => client.watchPort({ workload, port }, until),
      onMessage: (server: Server) => {
        this.#outages.set(port, undefined);
        policy.set(readOrRefuse(server, log, this.#named.has(port) ? 'info' : 'debug'));
      },
      onBroken: (cause: unknown) =>
        this.#outages.set(port, cause === undefined ? 'the stream was ended' : errorMessage(cause)),
      onRefused: (cause: unknown) => {
        this.#outages.set(port, undefined);
        log.warn({ error: errorMessage(cause) }, 'policy watch refused; the default policy holds');
        policy.set(defaultPolicy(port));
      },
    };
    void followStream(watch, stream, AbortSignal.any([signal, stop.signal]));
    const entry: Entry = { policy, stop, holders: 0 };
    this.#entries.set(port, entry);
    return entry;
  }

  #rest(port: number): void {
    const { clock, idleMs } = this.#options;
    this.#idle.set(
      port,
      clock.after(idleMs, () => this.#forget(port)),
    );
    const [longest = port] = this.#idle.keys();
    if (this.#idle.size > maxIdle) this.#forget(longest);
  }

  #forget(port: number): void {
    this.#idle.get(port)?.cancel();
    this.#idle.delete(port);
    this.#entries.get(port)?.stop.abort();
    this.#entries.delete(port);
    this.#outages.set(port, undefined);
  }
}

/**
 * An answer with a flaw is an answer: what held before it must not go on to hold. Any client can have any port asked
 * for, so that the answer is news only for the ports that were named.
 */
function readOrRefuse(server: Server, log: Log, level: 'info' | 'debug'): ServerPolicy {
  try {
    const policy = readPolicy(server);
    log[level]({ policy: policy.labels.name, protocol: policy.protocol }, 'policy received');
    return policy;
  } catch (error) {
    log.error({ error: errorMessage(error) }, 'policy invalid; nobody is let in');
    return invalidPolicy;
  }
}
