import { isAppError } from '../../runtime/errors.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import { detectTls, maxClientHelloBytes } from '../transport/client-hello.ts';
import type { Detected } from '../transport/client-hello.ts';
import type { Connection, Engine, MeshConnection, Take } from '../transport/engine.ts';
import {
  maxTransportHeaderBytes,
  takeTransportHeader,
  transportProtocol,
} from '../transport/transport-header.ts';
import type { TransportHeader } from '../transport/transport-header.ts';
import { inboundErrors } from './errors.ts';
import type { InboundTls } from './inbound-observer.ts';
import type { PortProtocol } from './server-policy.ts';

export interface ReceiveOptions {
  readonly engine: Pick<Engine, 'terminate'>;
  /** This workload's own name: TLS for it ends here, TLS for any other passes through. */
  readonly serverName: string;
  /** For each of: the first bytes, TLS, the transport header. */
  readonly detectTimeoutMs: number;
}

/** A client's connection once it is known how its bytes come in. */
export interface Incoming {
  readonly connection: Connection;
  readonly tls: InboundTls;
}

/** Looks what a connection to a port of the application begins with, and ends mesh TLS if it is that (contract 3.2). */
export async function receive(
  connection: Connection,
  protocol: PortProtocol,
  options: ReceiveOptions,
): Promise<Incoming> {
  if (protocol === 'opaque') return { connection, tls: { tls: 'no_identity', reason: 'port_skipped' } };
  const detected = await detect(connection, options);
  if (detected.kind === 'other')
    return { connection, tls: { tls: 'no_identity', reason: 'no_tls_from_remote' } };
  const { serverName } = detected;
  if (serverName !== options.serverName) return { connection, tls: { tls: 'opaque', sni: serverName } };
  const mesh = await options.engine.terminate(connection, { timeoutMs: options.detectTimeoutMs });
  return { connection: mesh, tls: { tls: 'true', clientId: mesh.peer?.id } };
}

export interface DirectIncoming extends Incoming {
  readonly header: TransportHeader;
  readonly clientId: string;
}

/** Receives a connection to the inbound port itself: mutual TLS and a transport header, nothing less (contract 3.4). */
export async function receiveDirect(
  connection: Connection,
  options: ReceiveOptions,
): Promise<DirectIncoming> {
  const detected = await detect(connection, options);
  if (detected.kind === 'other' || detected.serverName !== options.serverName) {
    throw inboundErrors.error(
      'inbound_tls_required',
      `expected TLS for ${options.serverName}, got ${detected.kind === 'other' ? 'none' : detected.serverName}`,
    );
  }
  const timeoutMs = options.detectTimeoutMs;
  const mesh = await options.engine.terminate(connection, { timeoutMs, alpn: transportProtocol });
  try {
    const clientId = requireIdentity(mesh);
    const header = await readFront(
      mesh,
      takeTransportHeader,
      maxTransportHeaderBytes,
      options,
      'inbound_header_timeout',
    );
    return { connection: mesh, tls: { tls: 'true', clientId }, header, clientId };
  } catch (error) {
    mesh.reset();
    throw error;
  }
}

function requireIdentity({ peer, alpn, remote }: MeshConnection): string {
  const from = formatSocketAddress(remote);
  if (peer?.id === undefined) {
    throw inboundErrors.error('inbound_identity_required', `expected ${from} to prove an identity, got none`);
  }
  if (alpn !== transportProtocol) {
    throw inboundErrors.error(
      'inbound_header_required',
      `expected ${from} to offer ${transportProtocol}, got no offer`,
    );
  }
  return peer.id;
}

function detect(connection: Connection, options: ReceiveOptions): Promise<Detected> {
  return readFront(connection, detectTls, maxClientHelloBytes, options, 'inbound_detect_timeout');
}

async function readFront<T>(
  connection: Connection,
  take: Take<T>,
  maxBytes: number,
  { detectTimeoutMs }: ReceiveOptions,
  overdue: 'inbound_detect_timeout' | 'inbound_header_timeout',
): Promise<T> {
  try {
    return await connection.readFront(take, { timeoutMs: detectTimeoutMs, maxBytes });
  } catch (error) {
    if (!isAppError(error) || error.code !== 'read_timeout') throw error;
    throw inboundErrors.error(overdue, error.message, { cause: error });
  }
}
