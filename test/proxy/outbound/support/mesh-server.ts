import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import type { WorkloadIdentity } from '../../../../src/pki/workload-identity.ts';
import { listen } from '../../../../src/runtime/listen.ts';
import { formatSocketAddress } from '../../../../src/runtime/socket-address.ts';
import type { TestCa } from '../../../support/test-ca.ts';

export const apiWorkload = new MeshDomain('kedge', 'cluster.local').identity('shop', 'api');

export interface MeshServerOptions {
  readonly identity?: WorkloadIdentity;
  readonly alpn?: string;
  /** Cuts each connection once TLS is done on its side, as a peer does that refuses a certificate only then. */
  readonly cuts?: boolean;
  readonly serve?: (socket: TLSSocket) => void;
}

/** A peer that speaks mesh TLS by node:tls alone, echoes what it reads, and remembers it. */
export async function meshServer(ca: TestCa, options: MeshServerOptions = {}) {
  const leaf = ca.leaf({ identity: options.identity ?? apiWorkload });
  const seen = { bytes: Buffer.alloc(0), serverNames: [] as string[], clients: [] as (string | undefined)[] };
  const server = createServer(
    {
      cert: leaf.chain.map(({ pem }) => pem).join(''),
      key: leaf.key.export({ type: 'pkcs8', format: 'pem' }),
      ca: ca.bundle.pem,
      requestCert: true,
      minVersion: 'TLSv1.3',
      allowHalfOpen: true,
      ...(options.alpn !== undefined && { ALPNProtocols: [options.alpn] }),
    },
    (socket) => {
      seen.serverNames.push(socket.servername || '');
      seen.clients.push(socket.getPeerCertificate().subjectaltname);
      socket.on('error', () => undefined);
      socket.on('data', (piece: Buffer) => {
        seen.bytes = Buffer.concat([seen.bytes, piece]);
      });
      if (options.cuts === true) sockets.get(socket.remotePort)?.resetAndDestroy();
      if (options.serve === undefined) socket.pipe(socket);
      else options.serve(socket);
    },
  );
  server.on('tlsClientError', () => undefined);
  const sockets = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => sockets.set(socket.remotePort, socket));
  const address = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    ...address,
    key: formatSocketAddress(address),
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
