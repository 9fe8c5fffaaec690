import type { Credentials } from '../../pki/credentials.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode, errorMessage, isAppError } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import { proxyErrors } from '../errors.ts';
import type { Connection } from '../transport/engine.ts';
import type { Choice } from './balancer.ts';
import { dialEndpoint } from './dial.ts';
import type { EndpointDialOptions } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import { outboundErrors } from './errors.ts';
import type { OutboundObserver } from './observer.ts';
import type { LookupState } from './lookup.ts';
import type { Lease, Resolver } from './resolver.ts';

/** A connection to an endpoint of the target, ready for the client's first byte. */
export interface Outgoing {
  readonly connection: Connection;
  readonly endpoint: Endpoint;
  /** The endpoint went back on its word: it cut the connection without having sent a byte. */
  readonly failed: () => void;
  /** The connection is over. */
  readonly release: () => void;
}

export interface ConnectorOptions {
  readonly resolver: Pick<Resolver, 'lease'>;
  readonly dial: EndpointDialOptions;
  readonly credentials: Latest<Credentials | undefined>;
  /** How long a connection may wait for an answer of discovery, an endpoint and a certificate, all together. */
  readonly holdTimeoutMs: number;
  readonly clock: Clock;
  readonly observer: Pick<OutboundObserver, 'endpointFailed'>;
}

/** More failures than this in a row are the target's and not an endpoint's; each costs a connect timeout at worst. */
const maxAttempts = 5;

/**
 * Connects to a target: waits until it is known and can be reached as it must be, then tries its endpoints one after
 * another until one takes the connection. No byte of the client is sent before that.
 */
export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Throws `outbound_*`, `mesh_no_certificate`, what dialling the last endpoint threw, or `signal.reason`. */
  async connect(target: SocketAddress, signal: AbortSignal): Promise<Outgoing> {
    const lease = this.#options.resolver.lease(target);
    const hold = new AbortController();
    const timer = this.#options.clock.after(this.#options.holdTimeoutMs, () => hold.abort());
    try {
      await this.#settled(target, lease, AbortSignal.any([signal, hold.signal]));
      return await this.#tryEndpoints(target, lease, hold.signal, signal);
    } catch (error) {
      lease.release();
      signal.throwIfAborted();
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #settled(target: SocketAddress, { state }: Lease, held: AbortSignal): Promise<void> {
    try {
      await state.until(isSettled, held);
    } catch {
      throw unreachable(target, state.value);
    }
    const { value } = state;
    if (value.kind === 'absent' || value.kind === 'refused') throw unreachable(target, value);
  }

  async #tryEndpoints(
    target: SocketAddress,
    lease: Lease,
    hold: AbortSignal,
    signal: AbortSignal,
  ): Promise<Outgoing> {
    const tried = new Set<string>();
    let failure: Error | undefined;
    while (tried.size < maxAttempts) {
      const choice = lease.balancer.pick(tried);
      if (choice === undefined) break;
      tried.add(choice.endpoint.key);
      try {
        if (choice.endpoint.security.kind === 'mesh') await this.#certificate(choice.endpoint, hold, signal);
        return await this.#dial(choice, lease, signal);
      } catch (error) {
        choice.release();
        if (signal.aborted || hold.aborted || isOurLack(error)) throw error;
        failure = error as Error;
      }
    }
    throw failure ?? unreachable(target, lease.state.value);
  }

  async #dial(choice: Choice, lease: Lease, signal: AbortSignal): Promise<Outgoing> {
    const { endpoint } = choice;
    try {
      const connection = await dialEndpoint(endpoint, this.#options.dial, signal);
      choice.succeeded();
      const release = (): void => {
        choice.release();
        lease.release();
      };
      return { connection, endpoint, failed: choice.failed, release };
    } catch (error) {
      if (!signal.aborted) {
        if (!isOurLack(error)) choice.failed();
        this.#options.observer.endpointFailed(endpoint, error);
      }
      throw error;
    }
  }

  /** Waiting for our own certificate is no fault of the endpoint. */
  async #certificate(endpoint: Endpoint, hold: AbortSignal, signal: AbortSignal): Promise<void> {
    const { credentials, holdTimeoutMs } = this.#options;
    if (credentials.value !== undefined) return;
    try {
      await credentials.until((value) => value !== undefined, AbortSignal.any([signal, hold]));
    } catch {
      throw proxyErrors.error(
        'mesh_no_certificate',
        `expected a certificate of our own for ${endpoint.key} within ${holdTimeoutMs} ms, got none`,
      );
    }
  }
}

/** No endpoint can be blamed for a lack of descriptors here, and none would help. */
function isOurLack(error: unknown): boolean {
  return errorCode(error) === 'no_descriptors';
}

function isSettled(state: LookupState): boolean {
  return state.kind === 'known' ? state.endpoints.length > 0 : state.kind !== 'unknown';
}

function unreachable(target: SocketAddress, state: LookupState): Error {
  const name = formatSocketAddress(target);
  switch (state.kind) {
    case 'unknown':
      return outboundErrors.error(
        'outbound_discovery_silent',
        `expected the destination service to answer for ${name}, got nothing in time`,
      );
    case 'absent':
      return outboundErrors.error(
        'outbound_no_such_target',
        `expected ${name} to exist, got word that it does not`,
      );
    case 'refused':
      if (isAppError(state.cause) && state.cause.code in outboundErrors.codes) return state.cause;
      return outboundErrors.error(
        'outbound_discovery_refused',
        `expected the destination service to answer for ${name}: ${errorMessage(state.cause)}`,
        { cause: state.cause },
      );
    case 'known':
      return noneUsable(name, state.endpoints);
  }
}

function noneUsable(name: string, endpoints: readonly Endpoint[]): Error {
  const refused = endpoints.find(({ security }) => security.kind === 'refused');
  if (refused?.security.kind === 'refused') {
    const { problem } = refused.security;
    return outboundErrors.error(
      'outbound_identity_unusable',
      `expected an identity that ${refused.key} of ${name} can prove, got ${problem}`,
    );
  }
  return outboundErrors.error(
    'outbound_no_endpoints',
    `expected a ready endpoint of ${name}, got none in time`,
  );
}
