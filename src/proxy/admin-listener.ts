import { createServer } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';

import type { Credentials } from '../pki/credentials.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Latest } from '../runtime/latest.ts';
import { listen } from '../runtime/listen.ts';
import type { Log } from '../runtime/log.ts';
import type { SocketAddress } from '../runtime/socket-address.ts';
import { Newcomers } from './newcomers.ts';
import { detectTls, maxClientHelloBytes } from './transport/client-hello.ts';
import { MeshContexts } from './transport/mesh-context.ts';
import { MeshTlsServer } from './transport/mtls-server.ts';
import { StreamConnection } from './transport/stream-connection.ts';
import { PeerVerifier } from './transport/verify-peer.ts';

export interface AdminListenerOptions {
  /** Serves the pages; it does not listen itself. */
  readonly pages: HttpServer;
  /** This workload's name: TLS for it ends here, so that a tool can look at the certificate in use. */
  readonly serverName: string;
  readonly credentials: Latest<Credentials | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdminListener {
  readonly address: SocketAddress;
  /** Accepts no more and cuts what is open: an answer takes no longer than a glance. */
  close(): void;
}

/** How long a client may take to begin, TLS included (contract 2.6). */
const detectTimeoutMs = 1000;

/** Each costs a file descriptor, and an answer takes milliseconds: beyond this the one that is here for longest goes. */
const maxClients = 16;

/** Serves the admin pages on one port, in plaintext and over mesh TLS alike, certified or not. */
export async function listenAdmin(
  address: SocketAddress,
  options: AdminListenerOptions,
): Promise<AdminListener> {
  const { clock, pages, log } = options;
  const tls = new MeshTlsServer({
    contexts: new MeshContexts(options.credentials),
    verifier: new PeerVerifier(clock),
    clock,
  });
  const clients = new Newcomers(maxClients);
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (tcp) => {
    tcp.once('close', clients.add({ end: () => tcp.resetAndDestroy() }));
    receive(tcp, tls, options).then(
      (socket) => {
        pages.emit('connection', socket);
        socket.resume();
      },
      (error: unknown) => {
        tcp.resetAndDestroy();
        log.debug({ client: tcp.remoteAddress, error: errorMessage(error) }, 'admin connection refused');
      },
    );
  });
  const bound = await listen(server, address);
  return {
    address: bound,
    close: () => {
      server.close();
      pages.closeAllConnections();
    },
  };
}

/** TLS for any name but ours is left to the pages, which will make nothing of it. */
async function receive(tcp: Socket, tls: MeshTlsServer, options: AdminListenerOptions): Promise<Socket> {
  const connection = new StreamConnection(tcp, options.clock);
  const limits = { timeoutMs: detectTimeoutMs, maxBytes: maxClientHelloBytes };
  const detected = await connection.readFront(detectTls, limits);
  const socket = connection.release();
  if (detected.kind === 'other' || detected.serverName !== options.serverName) return socket;
  return (await tls.accept(socket, detectTimeoutMs)).socket;
}
