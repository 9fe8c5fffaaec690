import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { Certificate } from '../../pki/certificate.ts';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { AppError } from '../../runtime/errors.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import { formatSocketAddress } from '../../runtime/socket-address.ts';
import { cliErrors } from '../errors.ts';

export interface FetchChainOptions {
  host: string;
  port: number;
  /** The name asked for in the handshake (SNI). A proxy answers TLS only for its own identity's name. */
  serverName?: string | undefined;
  /** For the connection and the handshake together. */
  timeoutMs: number;
  clock?: Clock;
}

/** What a server shows of itself in the handshake. Nothing of it is verified. */
export interface ShownChain {
  /** Leaf first, then what the server sent that links to it. */
  certificates: Certificate[];
  protocol: string;
  cipher: string;
  /** The key exchange, such as `X25519MLKEM768`; not told by every TLS version. */
  group: string | undefined;
}

type Stage = 'connecting' | 'handshake';

/** No chain is longer; a ring of cross-signed certificates would never end. */
const MAX_CHAIN = 16;

/**
 * Asks a server for its certificates without showing one. In TLS 1.3 the server's chain arrives before it can refuse a
 * client without a certificate, so this works for ports that demand one. Throws cliErrors that tell the stage it failed at.
 */
export function fetchChain(options: FetchChainOptions): Promise<ShownChain> {
  const { host, port, timeoutMs, clock = systemClock } = options;
  const servername = options.serverName ?? (net.isIP(host) === 0 ? host.replace(/\.$/, '') : undefined);
  return new Promise((resolve, reject) => {
    let stage: Stage = 'connecting';
    const socket = tls.connect({
      host,
      port,
      ...(servername === undefined ? {} : { servername }),
      // The chain is shown whatever it is, and judged afterwards; with no anchors OpenSSL adds nothing to what was sent.
      rejectUnauthorized: false,
      ca: [],
      minVersion: 'TLSv1.2',
    });
    const finish = (settle: () => void): void => {
      timer.cancel();
      socket.destroy();
      settle();
    };
    const timer = clock.after(timeoutMs, () => finish(() => reject(timedOut(options, stage))));
    socket.once('connect', () => (stage = 'handshake'));
    socket.once('secureConnect', () => {
      const shown = Promise.try(() => shownBy(socket, options));
      finish(() => resolve(shown));
    });
    // Stays attached: a server that refuses a client without certificate does so after its own chain was read.
    socket.on('error', (cause) => finish(() => reject(explain(options, stage, cause))));
  });
}

function shownBy(socket: tls.TLSSocket, options: FetchChainOptions): ShownChain {
  const certificates: Certificate[] = [];
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (next !== undefined && certificates.length < MAX_CHAIN) {
    const certificate: X509Certificate = next;
    certificates.push(Certificate.parse(certificate.raw));
    next = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
  }
  if (certificates.length === 0) {
    throw cliErrors.error(
      'no_certificate',
      `expected ${formatSocketAddress(options)} to show a certificate, got none`,
    );
  }
  const group: unknown = Reflect.get(socket.getEphemeralKeyInfo() ?? {}, 'name');
  return {
    certificates,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    group: typeof group === 'string' ? group : undefined,
  };
}

function timedOut(options: FetchChainOptions, stage: Stage): AppError {
  const waited = `within ${options.timeoutMs / 1000} s`;
  return stage === 'connecting'
    ? cliErrors.error(
        'connection_timeout',
        `expected ${formatSocketAddress(options)} to accept a connection ${waited}, got no answer`,
      )
    : cliErrors.error(
        'no_tls',
        `expected ${formatSocketAddress(options)} to answer TLS ${waited}, got a connection and then silence${hint(options)}`,
      );
}

function explain(options: FetchChainOptions, stage: Stage, cause: unknown): AppError {
  const code = errorCode(cause) ?? '';
  const target = formatSocketAddress(options);
  const words = errorMessage(cause);
  if (code === 'ECONNREFUSED') {
    return cliErrors.error(
      'connection_refused',
      `expected something to listen on ${target}, got connection refused`,
      { cause },
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return cliErrors.error(
      'address_unknown',
      `expected ${options.host} to resolve to an address, got ${code}`,
      { cause },
    );
  }
  if (stage === 'connecting') {
    return cliErrors.error('connection_failed', `expected to connect to ${target}, got ${words}`, { cause });
  }
  if (code.includes('ALERT')) {
    const alert = /alert ([a-z ]+)/i.exec(words)?.[1]?.trim() ?? code;
    return cliErrors.error(
      'tls_refused',
      `expected ${target} to show a certificate, got the alert "${alert}"${hint(options)}`,
      { cause },
    );
  }
  const got = code.startsWith('ERR_SSL') ? 'bytes that are not TLS' : 'the connection closed';
  return cliErrors.error('no_tls', `expected ${target} to answer TLS, got ${got}${hint(options)}`, { cause });
}

/** A proxy passes TLS for other names through to its application, which is the usual cause of no answer. */
function hint({ serverName }: FetchChainOptions): string {
  return serverName === undefined
    ? ': a proxy answers only to the name of its own identity, so give it with --name'
    : ` for the name ${serverName}: a proxy answers only to the name of its own identity`;
}
