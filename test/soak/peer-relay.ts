// Stands between the proxies and dials from another address, because 127.0.0.1 itself passes every policy (contract 5.2).
// Usage: peer-relay FROM LISTEN=PORT...  It prints `ready` when it listens.
import { once } from 'node:events';
import net from 'node:net';

const [from = '', ...pairs] = process.argv.slice(2);

/** Carries one direction, its end included; a connection that breaks on one side is reset on the other. */
function copy(source: net.Socket, sink: net.Socket): void {
  source.pipe(sink);
  source.on('error', () => sink.resetAndDestroy());
  source.on('close', () => {
    if (!source.readableEnded) sink.resetAndDestroy();
  });
}

for (const pair of pairs) {
  const [listen, port] = pair.split('=').map(Number);
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const target = net.connect({
      host: '127.0.0.1',
      port: port ?? 0,
      localAddress: from,
      allowHalfOpen: true,
    });
    copy(client, target);
    copy(target, client);
  });
  server.listen(listen, '127.0.0.1');
  await once(server, 'listening');
}
process.stdout.write('ready\n');
