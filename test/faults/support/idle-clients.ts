import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createSecureContext } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import type { SocketAddress } from '../../../src/runtime/socket-address.ts';

/** What this process is sent: to connect so many times from one address, and stay idle. */
export interface IdleOrder {
  readonly server: SocketAddress;
  readonly serverName: string;
  readonly ca: string;
  readonly from: string;
  readonly connections: number;
}

/** And its answer, once each has connected or was refused. */
export interface IdleAnswer {
  readonly connected: number;
  readonly refused: number;
}

/** At once. */
const handshakes = 50;

/** Ends with the test's process, and every connection with it. */
process.once('disconnect', () => process.exit());
process.on('message', (order: IdleOrder) => void obey(order));

async function obey(order: IdleOrder): Promise<void> {
  const secureContext = createSecureContext({ ca: order.ca, minVersion: 'TLSv1.3' });
  const answer = { connected: 0, refused: 0 };
  for (let begun = 0; begun < order.connections; begun += handshakes) {
    const some = Array.from({ length: Math.min(handshakes, order.connections - begun) }, async () => {
      const options: ConnectionOptions & { localAddress: string } = {
        ...order.server,
        localAddress: order.from,
        servername: order.serverName,
        ALPNProtocols: ['h2'],
        secureContext,
      };
      const socket = connect(options);
      if (await speaksHttp2(socket)) answer.connected++;
      else answer.refused++;
    });
    await Promise.all(some);
  }
  process.send?.(answer);
}

/** Whether the server took the connection and said its first word on it. */
async function speaksHttp2(socket: TLSSocket): Promise<boolean> {
  socket.on('error', () => undefined);
  const session = connectHttp2('https://kedge.test', { createConnection: () => socket });
  session.on('error', () => undefined);
  const end = new AbortController();
  try {
    return await Promise.race([
      once(session, 'remoteSettings', end).then(() => true),
      once(session, 'close', end).then(() => false),
    ]);
  } catch {
    return false;
  } finally {
    end.abort();
  }
}
