import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';

import type { Copy } from '../../../src/proxy/transport/engine.ts';
import { ReadBuffers } from '../../../src/proxy/transport/read-buffers.ts';
import { splice } from '../../../src/proxy/transport/splice.ts';
import type { StreamConnection } from '../../../src/proxy/transport/stream-connection.ts';
import { Bench, fate, readAll, until } from './bench.ts';

interface Setup {
  client: Socket;
  server: Socket;
  nearClient: StreamConnection;
  nearServer: StreamConnection;
  start: (idleTimeoutMs?: number) => Copy;
}

async function setup(bench: Bench): Promise<Setup> {
  const [toClient, toServer] = await Promise.all([bench.pair(), bench.pair()]);
  return {
    client: toClient.far,
    server: toServer.far,
    nearClient: toClient.near,
    nearServer: toServer.near,
    start: (idleTimeoutMs) =>
      splice(toClient.near, toServer.near, { idleTimeoutMs, clock: bench.clock, buffers: new ReadBuffers() }),
  };
}

describe('a splice of two connections', () => {
  it('carries bytes both ways and counts them', async () => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    const copy = start();
    client.end('question');
    expect(await readAll(server)).toBe('question');
    server.end('the answer');
    expect(await readAll(client)).toBe('the answer');
    expect(await copy.done).toEqual({ reason: 'ended' });
    expect(copy).toMatchObject({ fromClient: 8, fromServer: 10 });
  });

  it('lets one side go on for as long as it likes after the other has ended', async () => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    const copy = start();
    server.end();
    await fate(client);
    for (const piece of ['a', 'b', 'c']) {
      client.write(piece);
      expect(String((await once(server, 'data'))[0])).toBe(piece);
    }
    client.end();
    expect(await copy.done).toEqual({ reason: 'ended' });
    expect(copy).toMatchObject({ fromClient: 3, fromServer: 0 });
  });

  it('ends in order when a client leaves at once without a byte', async () => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    client.end();
    const copy = start();
    expect(await fate(server)).toBe('end');
    server.end();
    expect(await copy.done).toEqual({ reason: 'ended' });
  });

  it('sends what was read from the front before anything else, and counts it', async () => {
    await using bench = new Bench();
    const { client, server, nearClient, start } = await setup(bench);
    client.end('front and rest');
    const look = (bytes: Buffer): { value: string; consumed: number } | undefined =>
      bytes.length >= 5 ? { value: bytes.toString('latin1'), consumed: 0 } : undefined;
    await nearClient.readFront(look, { timeoutMs: 1000, maxBytes: 100 });
    const copy = start();
    expect(await readAll(server)).toBe('front and rest');
    expect(copy.fromClient).toBe(14);
  });

  it('passes on an end that came while the front was read', async () => {
    await using bench = new Bench();
    const { client, server, nearClient, start } = await setup(bench);
    client.end('short');
    await nearClient.readFront((_bytes, last) => (last ? { value: 0, consumed: 0 } : undefined), {
      timeoutMs: 1000,
      maxBytes: 100,
    });
    const copy = start();
    expect(await readAll(server)).toBe('short');
    server.end();
    expect(await copy.done).toEqual({ reason: 'ended' });
  });

  it('holds no more than a buffer or two for a reader that does not read, and loses nothing', async () => {
    await using bench = new Bench();
    const { client, server, nearClient, nearServer, start } = await setup(bench);
    server.pause();
    const sent = randomBytes(24 * 1024 * 1024);
    const copy = start();
    client.end(sent);
    await until(() => nearServer.socket.writableNeedDrain && nearClient.socket.isPaused());
    await bench.clock.advance(1000);
    expect(nearServer.socket.writableLength).toBeLessThan(256 * 1024);
    expect(nearClient.socket.readableLength).toBeLessThan(256 * 1024);
    expect(copy.fromClient).toBeLessThan(sent.length);
    const received = Buffer.from(await readAll(server), 'latin1');
    expect(hash('sha256', received)).toBe(hash('sha256', sent));
  });

  it.each(['client', 'server'] as const)('resets the other side when the %s resets', async (side) => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    const copy = start();
    const [cut, left] = side === 'client' ? [client, server] : [server, client];
    cut.resetAndDestroy();
    expect(await fate(left)).toBe('ECONNRESET');
    expect(await copy.done).toEqual({ reason: 'failed', failed: { side, errno: 'ECONNRESET' } });
  });

  it('tells a failure that came before it began', async () => {
    await using bench = new Bench();
    const { client, nearClient, server, start } = await setup(bench);
    nearClient.socket.resume();
    client.resetAndDestroy();
    await until(() => nearClient.socket.closed);
    const copy = start();
    expect(await fate(server)).toBe('ECONNRESET');
    expect(await copy.done).toEqual({ reason: 'failed', failed: { side: 'client', errno: 'ECONNRESET' } });
  });

  it('resets both sides when it is stopped', async () => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    const copy = start();
    copy.stop();
    expect(await Promise.all([fate(client), fate(server)])).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(await copy.done).toEqual({ reason: 'stopped' });
  });

  it('stops while bytes wait that nobody reads', async () => {
    await using bench = new Bench();
    const { client, server, nearServer, start } = await setup(bench);
    server.pause();
    const copy = start();
    client.write(Buffer.alloc(24 * 1024 * 1024));
    await until(() => nearServer.socket.writableNeedDrain);
    copy.stop();
    expect(await copy.done).toEqual({ reason: 'stopped' });
  });

  it('lets nobody take a part for the whole when it stops while the last bytes before an end wait', async () => {
    await using bench = new Bench();
    const { client, server, nearServer, start } = await setup(bench);
    server.pause();
    const copy = start();
    let sent = 0;
    // Until the system takes no more, in pieces small enough for the end behind them to be read.
    while (nearServer.socket.writableLength === 0) {
      client.write(Buffer.alloc(16 * 1024));
      sent += 16 * 1024;
      await until(() => copy.fromClient === sent);
    }
    client.end();
    await until(() => nearServer.socket.writableEnded);
    copy.stop();
    expect(await fate(server)).toBe('ECONNRESET');
    expect(await copy.done).toEqual({ reason: 'stopped' });
  });

  it('stops in the very moment in which an end is passed on', async () => {
    await using bench = new Bench();
    const { client, server, nearClient, nearServer, start } = await setup(bench);
    const copy = start();
    nearClient.socket.on('end', () => copy.stop());
    client.end();
    expect(await copy.done).toEqual({ reason: 'stopped' });
    expect([nearClient.socket.closed, nearServer.socket.closed]).toEqual([true, true]);
    await fate(server);
  });

  it('gives up after a period without a byte, and not before', async () => {
    await using bench = new Bench();
    const { client, server, start } = await setup(bench);
    const copy = start(60_000);
    await bench.clock.advance(59_000);
    client.write('x');
    await once(server, 'data');
    await bench.clock.advance(2_000);
    server.write('y');
    await once(client, 'data');
    await bench.clock.advance(59_000);
    expect(client.destroyed).toBe(false);
    await bench.clock.advance(60_000);
    expect(await copy.done).toEqual({ reason: 'idle' });
  });

  it('leaves no timer behind', async () => {
    await using bench = new Bench();
    const { client, start } = await setup(bench);
    const copy = start(60_000);
    client.resetAndDestroy();
    await copy.done;
    expect(bench.clock.pending).toBe(0);
  });
});
