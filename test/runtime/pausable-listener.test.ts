import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { openDescriptors } from '../../src/runtime/descriptors.ts';
import { PausableListener } from '../../src/runtime/pausable-listener.ts';
import { eventually } from '../support/eventually.ts';

/** How many clients the system lets wait at most. */
const longestQueue = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));

const anyPort = { host: '127.0.0.1', port: 0 };

async function greeting(backlog = 16) {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.end('hello');
  });
  const listener = await PausableListener.open(server, anyPort, backlog);
  const stack = new DisposableStack();
  stack.defer(() => listener.close());
  return {
    listener,
    accepted: () => accepted,
    /** Resolves once the system has taken the connection, accepted or not. */
    connect: async (): Promise<Socket> => {
      const socket = stack.adopt(connect(listener.address), (made) => made.destroy());
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return socket;
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

describe('a listener that pauses', () => {
  it('lets clients wait, and serves them when it goes on', async () => {
    using server = await greeting();
    server.listener.pause();
    const waiting = [await server.connect(), await server.connect()];
    expect(server.accepted()).toBe(0);
    server.listener.resume();
    expect(await Promise.all(waiting.map((socket) => text(socket)))).toEqual(['hello', 'hello']);
  });

  it('may do so again and again, and leaves no descriptor behind', async () => {
    using server = await greeting();
    const before = openDescriptors();
    for (let i = 0; i < 20; i++) {
      server.listener.pause();
      server.listener.pause();
      server.listener.resume();
      server.listener.resume();
      expect(await text(await server.connect())).toBe('hello');
    }
    await eventually(() => expect(openDescriptors()).toBeLessThanOrEqual(before + 2));
    expect(server.accepted()).toBe(20);
  });

  // More than Node has room for when nobody says how many.
  (longestQueue > 600 ? it : it.skip)('has as much room for those who wait as before', async () => {
    using server = await greeting(1024);
    server.listener.pause();
    server.listener.resume();
    server.listener.pause();
    const waiting = await Promise.all(Array.from({ length: 600 }, () => server.connect()));
    expect(waiting.every((socket) => socket.readyState === 'open')).toBe(true);
  });

  it('that is closed meanwhile stays closed', async () => {
    using server = await greeting();
    server.listener.pause();
    server.listener.close();
    server.listener.resume();
    await expect(server.connect()).rejects.toThrow('ECONNREFUSED');
  });

  it('has nothing to pause once it is closed', async () => {
    using server = await greeting();
    server.listener.close();
    server.listener.pause();
    server.listener.resume();
    await expect(server.connect()).rejects.toThrow('ECONNREFUSED');
  });
});
