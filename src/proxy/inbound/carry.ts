import type { Latest } from '../../runtime/latest.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { Engine, SocketOptions } from '../transport/engine.ts';
import { authorize } from './authorize.ts';
import type { Client } from './authorize.ts';
import { inboundErrors } from './errors.ts';
import type { Access, ObservedInbound } from './inbound-observer.ts';
import type { Incoming } from './receive.ts';
import type { Authorization, PortProtocol, ServerPolicy } from './server-policy.ts';

export interface CarryOptions {
  readonly engine: Pick<Engine, 'dial' | 'copy'>;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number | undefined;
  /** For the connection to the application. */
  readonly connectSocket: SocketOptions;
}

/** A connection that wants to get to the application. */
export interface Passage {
  readonly incoming: Incoming;
  readonly target: SocketAddress;
  readonly policy: Latest<ServerPolicy>;
  /** Whether bytes that come in this way may be what is spoken on a port of that protocol. */
  readonly fits: (protocol: PortProtocol) => boolean;
  readonly observed: ObservedInbound;
  /** Aborted when the connection has to end; policy does so itself. */
  readonly stop: AbortController;
}

/**
 * Carries a connection to the application while policy lets it, and no longer: policy is asked at first and again
 * whenever it changes. Throws `inbound_denied`, `connect_*`, or what `stop` was aborted with before the copy began.
 */
export async function carry(passage: Passage, options: CarryOptions): Promise<void> {
  const { target, policy, observed, stop } = passage;
  const first = policy.value;
  const authorization = decide(first, passage);
  observed.decided(authorization === undefined ? 'deny' : 'allow', access(passage, first, authorization));
  if (authorization === undefined) throw denied(passage, first);
  const unsubscribe = policy.subscribe((next) => recheck(next, passage, authorization));
  try {
    const { connectTimeoutMs: timeoutMs, connectSocket } = options;
    const server = await options.engine.dial(target, { ...connectSocket, timeoutMs, signal: stop.signal });
    const copy = options.engine.copy(passage.incoming.connection, server, options);
    stop.signal.addEventListener('abort', () => copy.stop(), { once: true });
    observed.connected(copy);
    observed.closed(await copy.done);
  } finally {
    unsubscribe();
  }
}

function decide(policy: ServerPolicy, { incoming, fits }: Passage): Authorization | undefined {
  return fits(policy.protocol) ? authorize(policy, clientOf(incoming)) : undefined;
}

function recheck(policy: ServerPolicy, passage: Passage, before: Authorization): void {
  if (passage.stop.signal.aborted || decide(policy, passage) !== undefined) return;
  passage.observed.decided('terminate', access(passage, policy, before));
  passage.stop.abort(
    inboundErrors.error(
      'inbound_terminated',
      `expected ${describe(passage)} to stay authorized, got a policy (${policy.labels.name}) that does not let it in`,
    ),
  );
}

function access(
  { target, incoming }: Passage,
  { labels }: ServerPolicy,
  by: Authorization | undefined,
): Access {
  return { target, tls: incoming.tls, server: labels, authorization: by?.labels };
}

function denied(passage: Passage, { labels, protocol }: ServerPolicy): Error {
  const why = passage.fits(protocol)
    ? 'no authorization that fits'
    : `a port of ${protocol}, on which unnamed bytes may not be sent through the inbound port`;
  return inboundErrors.error(
    'inbound_denied',
    `expected policy ${labels.name} to let ${describe(passage)} in, got ${why}`,
  );
}

function describe({ incoming, target }: Passage): string {
  const { tls, connection } = incoming;
  const who =
    tls.tls === 'true' ? (tls.clientId ?? 'a mesh client without an identity') : 'a client without mesh TLS';
  return `${who} at ${connection.remote.host} to ${formatSocketAddress(target)}`;
}

function clientOf({ connection, tls }: Incoming): Client {
  return { ip: connection.remote.host, mesh: tls.tls === 'true' ? { id: tls.clientId } : undefined };
}
