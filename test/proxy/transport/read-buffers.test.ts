import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import fc from 'fast-check';

import { dialTcp } from '../../../src/proxy/transport/dial-tcp.ts';
import { ReadBuffers } from '../../../src/proxy/transport/read-buffers.ts';
import { splice } from '../../../src/proxy/transport/splice.ts';
import { StreamConnection } from '../../../src/proxy/transport/stream-connection.ts';
import { Bench, until } from './bench.ts';

const never = new AbortController().signal;

/** Both ends of a connection: one that reads into the buffers, accepted or dialled, and a bare one. */
async function reading(bench: Bench, buffers: ReadBuffers, how: 'accepted' | 'dialled') {
  if (how === 'dialled') {
    const { address, sockets } = await bench.hold();
    const near = bench.own(await dialTcp(address, {}, buffers, never));
    await until(() => sockets.length === 1);
    return { near, far: sockets[0]! };
  }
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    accepted.push(bench.own(buffers.adopt(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const far = await bench.connect({ host: '127.0.0.1', port });
  await until(() => accepted.length === 1);
  server.close();
  return { near: accepted[0]!, far };
}

/** Keeps the pieces as they were delivered until the other side ends, so that memory used twice would show. */
async function keepAll(socket: Socket): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).resume();
  await once(socket, 'end');
  return pieces;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('read buffers', () => {
  it.each(['accepted', 'dialled'] as const)(
    'never write over bytes of %s sockets that were delivered, whatever sizes come',
    async (how) => {
      const sizes = fc.array(
        fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 300_000 })),
        {
          minLength: 1,
          maxLength: 8,
        },
      );
      await fc.assert(
        fc.asyncProperty(sizes, sizes, async (ours, others) => {
          await using bench = new Bench();
          const buffers = new ReadBuffers();
          const pairs = [await reading(bench, buffers, how), await reading(bench, buffers, how)];
          const sent = [ours, others].map((list) => list.map((size) => randomBytes(size)));
          const kept = await Promise.all(
            pairs.map(async ({ near, far }, at) => {
              const all = keepAll(near);
              for (const bytes of sent[at]!) {
                if (!far.write(bytes)) await once(far, 'drain');
                await new Promise(setImmediate);
              }
              far.end();
              return await all;
            }),
          );
          for (const at of [0, 1]) {
            expect(sha256(Buffer.concat(kept[at]!))).toBe(sha256(Buffer.concat(sent[at]!)));
          }
        }),
        { numRuns: 15 },
      );
    },
  );

  it('stop reading while the stream is full, and go on when it is read', async () => {
    await using bench = new Bench();
    const { near, far } = await reading(bench, new ReadBuffers(), 'accepted');
    const bytes = randomBytes(8 << 20);
    far.end(bytes);
    near.read(0);
    await until(() => near.readableLength > 0 && far.writableLength > 0);
    expect(near.readableLength).toBeLessThan(1 << 20);
    expect(sha256(Buffer.concat(await keepAll(near)))).toBe(sha256(bytes));
  });

  it('give memory back only when it was written, also to whoever does not read for a while', async () => {
    await using bench = new Bench();
    const from = await reading(bench, new ReadBuffers(), 'accepted');
    const to = await reading(bench, new ReadBuffers(), 'dialled');
    let given = 0;
    // All memory counts as lent, and is spoilt as soon as it is given back.
    const buffers = {
      isLent: () => true,
      giveBack: (piece: Buffer) => {
        piece.fill(0);
        given += 1;
      },
    };
    const [client, server] = [from, to].map(({ near }) => new StreamConnection(near, bench.clock));
    splice(client!, server!, { idleTimeoutMs: undefined, clock: bench.clock, buffers });
    // More than the system takes, so that some is on its way for as long as nobody reads.
    const bytes = randomBytes(24 << 20);
    from.far.end(bytes);
    await until(() => to.near.writableLength > 0);
    const before = given;
    expect(before).toBeGreaterThan(0);
    expect(sha256(Buffer.concat(await keepAll(to.far)))).toBe(sha256(bytes));
    expect(given).toBeGreaterThan(before);
  });

  it('take a piece back once, and none that they did not lend', async () => {
    await using bench = new Bench();
    const buffers = new ReadBuffers();
    const { near, far } = await reading(bench, buffers, 'accepted');
    far.end(randomBytes(4 << 20));
    const pieces = await keepAll(near);
    const lent = pieces.filter((piece) => buffers.isLent(piece));
    expect(lent.length).toBeGreaterThan(0);
    for (const piece of lent) buffers.giveBack(piece);
    expect(lent.some((piece) => buffers.isLent(piece))).toBe(false);
    for (const piece of lent) buffers.giveBack(piece);
    expect(buffers.isLent(Buffer.alloc(64 * 1024))).toBe(false);
  });
});
