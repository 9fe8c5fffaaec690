import { formatSocketAddress } from '../../runtime/socket-address.ts';
import { proxyErrors } from '../errors.ts';
import type { Connection, Engine, SocketOptions } from '../transport/engine.ts';
import { encodeTransportHeader, transportProtocol } from '../transport/transport-header.ts';
import type { Endpoint, MeshSecurity } from './endpoint.ts';
import { outboundErrors } from './errors.ts';
import type { OwnListeners } from './own-listeners.ts';

export interface EndpointDialOptions {
  readonly engine: Pick<Engine, 'dial' | 'dialMesh'>;
  /** Covers TCP and TLS together (contract 2.3). */
  readonly connectTimeoutMs: number;
  /** For the sockets to endpoints. */
  readonly socket: SocketOptions;
  readonly ownListeners: OwnListeners;
}

/**
 * Connects to one endpoint in the way its security asks for, and in no other. Throws `outbound_identity_unusable`,
 * `outbound_loop`, what the engine throws, or `signal.reason` when aborted.
 */
export async function dialEndpoint(
  endpoint: Endpoint,
  options: EndpointDialOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const { security, host, key } = endpoint;
  if (security.kind === 'refused') {
    throw outboundErrors.error(
      'outbound_identity_unusable',
      `expected an identity that ${key} can prove, got ${security.problem}`,
    );
  }
  const port = security.kind === 'mesh' ? security.port : endpoint.port;
  if (options.ownListeners.has({ host, port })) {
    throw outboundErrors.error(
      'outbound_loop',
      `expected an endpoint elsewhere, got ${key}, which is this proxy`,
    );
  }
  const timeoutMs = options.connectTimeoutMs;
  return security.kind === 'mesh'
    ? await dialMeshEndpoint({ host, port }, security, options, signal)
    : await options.engine.dial({ host, port }, { ...options.socket, timeoutMs, signal });
}

async function dialMeshEndpoint(
  address: { host: string; port: number },
  { identity, serverName, header }: MeshSecurity,
  { engine, connectTimeoutMs, socket }: EndpointDialOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const connection = await engine.dialMesh(address, {
    ...socket,
    serverName,
    expectedIdentity: identity,
    timeoutMs: connectTimeoutMs,
    signal,
    ...(header !== undefined && { alpn: transportProtocol }),
  });
  if (header === undefined) return connection;
  if (connection.alpn !== transportProtocol) {
    connection.reset();
    // Without the header the peer's proxy would take these bytes for one.
    throw proxyErrors.error(
      'mesh_alpn',
      `expected ${formatSocketAddress(address)} to select ${transportProtocol}, got ${connection.alpn ?? 'no protocol'}`,
    );
  }
  connection.write(encodeTransportHeader(header));
  return connection;
}
