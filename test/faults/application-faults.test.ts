import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import { PausableListener } from '../../src/runtime/pausable-listener.ts';
import { fate } from '../proxy/transport/bench.ts';
import { closedPort } from '../proxy/transport/mesh.ts';
import { eventually } from '../support/eventually.ts';
import { App, Client } from './support/echo.ts';
import { settled } from './support/settled.ts';
import { twoProcesses, twoProxies } from './support/two-proxies.ts';

describe('a client of two proxies', () => {
  it('is reset when the application is away, which is counted', async () => {
    await using pair = await twoProxies(await closedPort());
    using client = new Client(pair.address);
    expect(await client.roundTrip()).toBe('ECONNRESET');
    expect(await pair.server.refused('connect_refused')).toBe(1);
  });

  it('is reset when the application resets', async () => {
    await using app = await new App((socket) => socket.once('data', () => socket.resetAndDestroy())).start();
    await using pair = await twoProxies(app.address);
    using client = new Client(pair.address);
    expect(await client.roundTrip()).toBe('ECONNRESET');
    const closed = (peer: string) => ['direction="inbound"', `peer="${peer}"`, 'errno="ECONNRESET"'];
    await eventually(async () =>
      expect(await pair.server.count('tcp_close_total', ...closed('dst'))).toBe(1),
    );
    expect(await pair.server.count('tcp_close_total', ...closed('src'))).toBe(0);
  });

  it('resets the application when it is reset itself', async () => {
    await using app = await App.echo().start();
    await using pair = await twoProxies(app.address);
    using client = new Client(pair.address);
    await client.roundTrip();
    const ended = fate(app.sockets[0]!);
    client.socket.resetAndDestroy();
    expect(await ended).toBe('ECONNRESET');
  });

  it('hears the end of an application that goes on to read, which gets all that comes after', async () => {
    const got = createHash('sha256');
    let bytes = 0;
    await using app = await new App((socket) => {
      socket.end('that is all I have to say');
      socket.on('data', (piece: Buffer) => {
        got.update(piece);
        bytes += piece.length;
      });
    }).start();
    await using pair = await twoProxies(app.address);
    using client = new Client(pair.address);
    await eventually(() => expect(client.end).toBe('end'));
    expect(client.received).toBe(25);
    const sent = Buffer.alloc(3_000_000, 'after the end ');
    client.socket.end(sent);
    expect(await fate(app.sockets[0]!)).toBe('end');
    expect(bytes).toBe(sent.length);
    expect(got.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('may end first, and is answered in full', async () => {
    const answer = Buffer.alloc(3_000_000, 'answer ');
    await using app = await new App((socket) => {
      socket.on('end', () => socket.end(answer)).resume();
    }).start();
    await using pair = await twoProxies(app.address);
    using client = new Client(pair.address);
    client.socket.end('question');
    await eventually(() => expect(client.end).toBe('end'));
    expect(client.received).toBe(answer.length);
  });
});

describe('an application that is slow to accept', () => {
  it('serves those whom its queue took, and the others are reset and counted', async () => {
    const echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
    const slow = await PausableListener.open(echo, { host: '127.0.0.1', port: 0 }, 2);
    await using stack = new AsyncDisposableStack();
    stack.defer(() => slow.close());
    const pair = stack.use(
      await twoProxies(slow.address, { server: { LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '2s' } }),
    );
    slow.pause();
    const clients = Array.from({ length: 10 }, () => stack.use(new Client(pair.address)));
    const outcomes = clients.map((client) => client.roundTrip());
    await eventually(() => expect(clients.filter(({ end }) => end === 'ECONNRESET').length).toBe(7));
    expect(await pair.server.refused('connect_timeout')).toBe(7);
    slow.resume();
    const answered = (await Promise.all(outcomes)).filter((outcome) => typeof outcome === 'number');
    expect(answered).toHaveLength(3);
    for (const { socket } of clients) socket.destroy();
  });
});

describe('whoever does not read', () => {
  const connections = 16;
  const mib = 1024 * 1024;
  /** More than the kernel keeps for all hops of a connection. */
  const enough = 64 * mib;

  /** Sends as much as is taken; the hash is of all that was handed over. */
  function flood(socket: Socket): { sent: () => number; finish: () => string } {
    const hash = createHash('sha256');
    const piece = Buffer.alloc(65_536, 'flood ');
    let sent = 0;
    let over = false;
    const more = (): void => {
      while (!over && sent < enough) {
        hash.update(piece);
        sent += piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on('drain', more);
    more();
    return {
      sent: () => sent,
      finish: () => {
        over = true;
        socket.end();
        return hash.digest('hex');
      },
    };
  }

  /** All that comes until the end. */
  async function digest(socket: Socket): Promise<string> {
    const hash = createHash('sha256');
    socket.on('data', (piece: Buffer) => hash.update(piece));
    expect(await fate(socket)).toBe('end');
    return hash.digest('hex');
  }

  it.each([
    ['an application', 'its clients'],
    ['a client', 'the application'],
  ])(
    '(%s) makes %s wait after so many bytes, costs the proxies little memory, and loses none of them',
    async (who) => {
      await using app = await new App((socket) => void socket.pause()).start();
      await using pair = await twoProcesses(app.address);
      using stack = new DisposableStack();
      const before = [await memory(pair.client), await memory(pair.server)];
      const clients = Array.from({ length: connections }, () => stack.use(new Client(pair.address)).socket);
      for (const client of clients) client.removeAllListeners('data').pause();
      await eventually(() => expect(app.sockets.length).toBe(connections));
      const [senders, readers] = who === 'a client' ? [app.sockets, clients] : [clients, app.sockets];
      const floods = senders.map(flood);
      const sentByAll = (): number => floods.reduce((sum, { sent }) => sum + sent(), 0);
      await settled(sentByAll);
      const grown = [await memory(pair.client), await memory(pair.server)].map((now, i) => now - before[i]!);
      for (const { sent } of floods) expect(sent()).toBeLessThan(enough);
      // Most of it is garbage that was not collected yet: with more connections it grows no further.
      for (const bytes of grown) expect(bytes).toBeLessThan(sentByAll() / 2);
      console.log(
        `${who} that does not read: ${connections} connections took ${(sentByAll() / mib).toFixed(0)} MiB, ` +
          `the proxies grew by ${grown.map((bytes) => (bytes / mib).toFixed(1)).join(' and ')} MiB`,
      );
      const got = Promise.all(readers.map(digest));
      const sent = floods.map(({ finish }) => finish()).sort();
      expect((await got).sort()).toEqual(sent);
    },
  );

  const memory = (proxy: { count(name: string): Promise<number> }) =>
    proxy.count('process_resident_memory_bytes');
});
