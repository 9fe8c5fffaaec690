import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';

import { listen } from '../../../src/runtime/listen.ts';

/** What a client of Node says first when it means this name. */
export async function clientHello(servername: string, alpn: string): Promise<Buffer> {
  const server = createServer();
  const address = await listen(server, { host: '127.0.0.1', port: 0 });
  const client = connect({ ...address, servername, ALPNProtocols: [alpn] }).on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}
