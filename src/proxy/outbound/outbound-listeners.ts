import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionCapacity } from '../../runtime/connection-capacity.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { OriginalDestination } from '../original-destination.ts';
import { RefusalLog } from '../../runtime/refusal-log.ts';
import { Connections } from '../transport/connections.ts';
import type { Connection, Engine, Listener, SocketOptions } from '../transport/engine.ts';
import type { Connector, Outgoing } from './connector.ts';
import { outboundErrors } from './errors.ts';
import type { ObservedOutbound, OutboundObserver } from './observer.ts';
import type { OwnListeners } from './own-listeners.ts';

export interface OutboundListenersOptions {
  readonly engine: Pick<Engine, 'listen' | 'copy'>;
  readonly connector: Pick<Connector, 'connect'>;
  readonly observer: OutboundObserver;
  readonly log: Log;
  readonly clock: Clock;
  readonly idleTimeoutMs: number;
  /** For the sockets of the application. */
  readonly socket: SocketOptions;
  /** Shared by all that accept in this process. */
  readonly capacity: ConnectionCapacity;
  /** Gets the address of each listener. */
  readonly ownListeners: OwnListeners;
}

/** Takes the application's connections and carries each to an endpoint of its original destination. */
export class OutboundListeners {
  readonly #options: OutboundListenersOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: Connections;
  readonly #refusals: RefusalLog;

  constructor(options: OutboundListenersOptions) {
    this.#options = options;
    this.#connections = new Connections(options.capacity);
    this.#refusals = new RefusalLog(options.log, options.clock, 'outbound connection refused');
  }

  /** Resolves with the address that was bound. */
  async listen(address: SocketAddress, destination: OriginalDestination): Promise<SocketAddress> {
    const { engine, socket, capacity, ownListeners } = this.#options;
    const listener = await engine.listen(address, (client) => void this.#serve(client, destination), socket);
    this.#listeners.push(listener);
    capacity.add(listener);
    ownListeners.add(listener.address);
    return listener.address;
  }

  /** Accepts no more, waits until every connection has ended, and cuts the rest at the deadline. Resolves with their number. */
  async close(deadline: AbortSignal): Promise<number> {
    for (const listener of this.#listeners) listener.close();
    return await this.#connections.drain(deadline);
  }

  async #serve(client: Connection, destination: OriginalDestination): Promise<void> {
    const target = destination.of(client);
    const observed = this.#options.observer.accepted(target);
    const stop = new AbortController();
    const ended = this.#connections.add({ stop: () => stop.abort() });
    try {
      const outgoing = await this.#options.connector.connect(this.#checked(target), stop.signal);
      await this.#carry(client, outgoing, observed, stop.signal);
    } catch (error) {
      // A reset, because an orderly end would look like an empty answer.
      client.reset();
      observed.refused(error);
      this.#tell(target, error);
    } finally {
      ended();
    }
  }

  #checked(target: SocketAddress | undefined): SocketAddress {
    if (target !== undefined && !this.#options.ownListeners.has(target)) return target;
    const got = target === undefined ? 'an unknown destination' : formatSocketAddress(target);
    throw outboundErrors.error(
      'outbound_loop',
      `expected a connection that was meant for somewhere else, got one to ${got}`,
    );
  }

  async #carry(
    client: Connection,
    outgoing: Outgoing,
    observed: ObservedOutbound,
    signal: AbortSignal,
  ): Promise<void> {
    const copy = this.#options.engine.copy(client, outgoing.connection, this.#options);
    observed.connected(outgoing.endpoint, copy);
    const stop = (): void => copy.stop();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const end = await copy.done;
    // With TLS 1.3 a server refuses our certificate after our side of the handshake is done (contract 11).
    if (end.failed?.side === 'server' && copy.fromServer === 0) outgoing.failed();
    outgoing.release();
    observed.closed(end);
  }

  #tell(target: SocketAddress | undefined, error: unknown): void {
    this.#refusals.tell({
      target: target && formatSocketAddress(target),
      code: errorCode(error),
      error: errorMessage(error),
    });
  }
}
