import type { Credentials } from '../../pki/credentials.ts';
import type { ConnectionCapacity } from '../../runtime/connection-capacity.ts';
import { withinDeadline } from '../../runtime/deadline.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { Newcomers } from '../newcomers.ts';
import type { OriginalDestination } from '../original-destination.ts';
import { RefusalLog } from '../../runtime/refusal-log.ts';
import type { Refusal } from '../../runtime/refusal-log.ts';
import { Connections } from '../transport/connections.ts';
import type { Connection, Engine, Listener, SocketOptions } from '../transport/engine.ts';
import { carry } from './carry.ts';
import type { CarryOptions } from './carry.ts';
import { inboundErrors } from './errors.ts';
import { Impatience } from './impatience.ts';
import type { InboundObserver, ObservedInbound } from './inbound-observer.ts';
import type { PolicyStore } from './policy-store.ts';
import { receive, receiveDirect } from './receive.ts';
import type { ReceiveOptions } from './receive.ts';
import type { PortProtocol, ServerPolicy } from './server-policy.ts';

export interface InboundListenersOptions extends ReceiveOptions, CarryOptions {
  readonly engine: Engine;
  readonly policies: Pick<PolicyStore, 'lease'>;
  /** Nobody is served before there are some (contract 2.6). */
  readonly credentials: Latest<Credentials | undefined>;
  readonly observer: InboundObserver;
  /** This pod's addresses: redirected connections must be for one of them. Any will do where there is none. */
  readonly addresses: readonly string[];
  /** For the connections of clients. */
  readonly acceptSocket: SocketOptions;
  /** Shared by all that accept in this process. */
  readonly capacity: ConnectionCapacity;
  readonly log: Log;
  readonly clock: Clock;
}

/** Connections that wait for the first certificate, and for how long: by then most clients have given up. */
const maxHeld = 1024;
const maxHeldMs = 120_000;

/** Connections whose client has not shown yet who it is. */
const maxNewcomers = 4096;

/** One connection on its way in. */
interface Arrival {
  /** What is to be reset: the connection as accepted, later the one that TLS made of it. */
  connection: Connection;
  readonly observed: ObservedInbound;
  readonly stop: AbortController;
  /** The client has shown what there is to know of it. */
  readonly received: () => void;
}

/** Takes connections for this pod and carries each to the application that policy lets it reach. */
export class InboundListeners {
  readonly #options: InboundListenersOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: Connections;
  readonly #newcomers = new Newcomers(maxNewcomers);
  readonly #refusals: RefusalLog;
  readonly #cuts: RefusalLog;
  #inboundPort: number | undefined;
  #held = 0;

  constructor(options: InboundListenersOptions) {
    this.#options = options;
    this.#connections = new Connections(options.capacity);
    options.capacity.add(new Impatience(this.#newcomers, options.clock));
    this.#refusals = new RefusalLog(options.log, options.clock, 'inbound connection refused');
    this.#cuts = new RefusalLog(options.log, options.clock, 'inbound connection cut');
  }

  /** The inbound port: redirected connections, and direct ones of other proxies. Resolves with the address bound. */
  async listen(address: SocketAddress, destination: OriginalDestination): Promise<SocketAddress> {
    const bound = await this.#listen(address, (arrival) => this.#redirected(arrival, destination));
    this.#inboundPort = bound.port;
    return bound;
  }

  /** A listener that stands for one address of the application. */
  forward(address: SocketAddress, target: SocketAddress): Promise<SocketAddress> {
    return this.#listen(address, (arrival) => this.#toPort(arrival, target));
  }

  /** Accepts no more, waits until every connection has ended, and cuts the rest at the deadline. Resolves with their number. */
  async close(deadline: AbortSignal): Promise<number> {
    for (const listener of this.#listeners) listener.close();
    return await this.#connections.drain(deadline);
  }

  async #listen(address: SocketAddress, serve: (arrival: Arrival) => Promise<void>): Promise<SocketAddress> {
    const { engine, acceptSocket, capacity } = this.#options;
    const accept = (connection: Connection): void => void this.#accept(connection, serve);
    const listener = await engine.listen(address, accept, acceptSocket);
    this.#listeners.push(listener);
    capacity.add(listener);
    return listener.address;
  }

  async #accept(connection: Connection, serve: (arrival: Arrival) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    const received = this.#newcomers.add({ end: () => stop.abort(crowdedOut()) });
    const arrival = { connection, observed: this.#options.observer.accepted(), stop, received };
    signal.addEventListener('abort', () => arrival.connection.reset(), { once: true });
    const ended = this.#connections.add({ stop: () => stop.abort(shutDown()) });
    try {
      await this.#untilReady(signal);
      await serve(arrival);
      if (signal.aborted) this.#cuts.tell(told(connection, signal.reason));
    } catch (error) {
      // What a reset of ours brought about is not what ended the connection.
      const cause: unknown = signal.aborted ? signal.reason : error;
      arrival.connection.reset();
      arrival.observed.refused(cause);
      this.#tell(connection, cause);
    } finally {
      received();
      ended();
    }
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    const { clock, credentials } = this.#options;
    if (credentials.value !== undefined) return;
    if (this.#held >= maxHeld) {
      throw notReady(`at most ${maxHeld} connections before the first certificate, got one more`);
    }
    const late = (): Error => notReady(`the first certificate within ${maxHeldMs} ms, got none`);
    this.#held++;
    try {
      await withinDeadline({ clock, ms: maxHeldMs, signal, late }, (either) =>
        credentials.until((value) => value !== undefined, either),
      );
    } finally {
      this.#held--;
    }
  }

  async #redirected(arrival: Arrival, destination: OriginalDestination): Promise<void> {
    const target = destination.of(arrival.connection);
    if (target === undefined) {
      throw inboundErrors.error('inbound_destination_unknown', 'expected an original destination, got none');
    }
    const { addresses } = this.#options;
    if (addresses.length > 0 && !addresses.includes(target.host)) {
      throw inboundErrors.error(
        'inbound_destination_foreign',
        `expected a destination among ${addresses.join(', ')}, got ${target.host}`,
      );
    }
    await (target.port === this.#inboundPort ? this.#direct(arrival) : this.#toPort(arrival, target));
  }

  async #toPort(arrival: Arrival, target: SocketAddress): Promise<void> {
    this.#refuseLoop(target);
    await this.#leased(target.port, async (policy) => {
      const incoming = await receive(arrival.connection, policy.value.protocol, this.#options);
      arrival.connection = incoming.connection;
      arrival.received();
      await carry({ ...arrival, incoming, target, policy, fits: () => true }, this.#options);
    });
  }

  async #direct(arrival: Arrival): Promise<void> {
    const incoming = await receiveDirect(arrival.connection, this.#options);
    arrival.connection = incoming.connection;
    arrival.received();
    const { header, clientId } = incoming;
    arrival.observed.header(header, clientId);
    if (header.name !== undefined) {
      throw inboundErrors.error(
        'inbound_gateway_unsupported',
        `expected a header without a name, got ${header.name}: this proxy is no gateway`,
      );
    }
    const target = { host: incoming.connection.local.host, port: header.port };
    this.#refuseLoop(target);
    const fits = header.sessionProtocol === undefined ? takesRawBytes : () => true;
    await this.#leased(target.port, (policy) =>
      carry({ ...arrival, incoming, target, policy, fits }, this.#options),
    );
  }

  async #leased(port: number, run: (policy: Latest<ServerPolicy>) => Promise<void>): Promise<void> {
    const lease = this.#options.policies.lease(port);
    try {
      await run(lease.policy);
    } finally {
      lease.release();
    }
  }

  #refuseLoop(target: SocketAddress): void {
    if (target.port !== this.#inboundPort) return;
    throw inboundErrors.error(
      'inbound_loop',
      `expected a port of the application, got the inbound port itself (${formatSocketAddress(target)})`,
    );
  }

  /** Probes come, see that the port is open, and are gone: that is no news. */
  #tell(connection: Connection, error: unknown): void {
    const fields = told(connection, error);
    if (fields.code === 'connection_reset') this.#options.log.debug(fields, 'inbound connection lost');
    else this.#refusals.tell(fields);
  }
}

function told({ remote }: Connection, error: unknown): Refusal {
  return { client: formatSocketAddress(remote), code: errorCode(error), error: errorMessage(error) };
}

function shutDown(): Error {
  return inboundErrors.error(
    'inbound_shut_down',
    'expected to end before the proxy, got cut at its deadline',
  );
}

function notReady(expected: string): Error {
  return inboundErrors.error('inbound_not_ready', `expected ${expected}`);
}

function crowdedOut(): Error {
  return inboundErrors.error(
    'inbound_crowded_out',
    'expected the client to show who it is while there was room for it, got nothing so far',
  );
}

/** On a port of HTTP, bytes that nobody named could be anything (contract 3.4). */
function takesRawBytes(protocol: PortProtocol): boolean {
  return protocol === 'detect' || protocol === 'tls' || protocol === 'opaque';
}
