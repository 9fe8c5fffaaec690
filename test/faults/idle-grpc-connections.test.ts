import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { destinationClient } from '../../src/rpc/destination-api.ts';
import { defaultLimits } from '../../src/rpc/limits.ts';
import { Reader } from '../destination/support/reader.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw } from '../support/raw-grpc.ts';
import { serverIdentity } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import { DestinationServer, shopAt } from './support/destination-server.ts';
import type { IdleAnswer, IdleOrder } from './support/idle-clients.ts';

const question = { scheme: '', path: 'api.shop.svc.cluster.local:80', contextToken: '' };
const timeoutMs = 600_000;

/** Descriptors that the process may have open, less what it needs for everything else. */
function descriptors(): number {
  const [, most = '0'] =
    /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(most) - 500;
}

/** All that the server takes by default, or as many as this machine lets one process have. */
const all = Math.min(defaultLimits.connections, descriptors());
const perAddress = defaultLimits.connectionsPerAddress;

/** A process of its own, whose descriptors do not count here, with clients that connect and say nothing. */
class IdleClients implements Disposable {
  readonly #process: ChildProcess;
  readonly #destination: DestinationServer;

  constructor(destination: DestinationServer) {
    this.#destination = destination;
    this.#process = fork(fileURLToPath(new URL('./support/idle-clients.ts', import.meta.url)), {
      execArgv: [],
    });
  }

  async connect(from: string, connections: number): Promise<IdleAnswer> {
    const { server } = this.#destination;
    const order: IdleOrder = {
      server: server.address,
      serverName: serverIdentity.dnsName,
      ca: server.ca.bundle.pem,
      from,
      connections,
    };
    const answer = once(this.#process, 'message') as Promise<[IdleAnswer]>;
    this.#process.send(order);
    return (await answer)[0];
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}

/** The endpoints of the shop, asked for on a connection of its own. */
async function isServed(destination: DestinationServer): Promise<void> {
  using channel = destination.server.connect();
  await using reader = new Reader((signal) => destinationClient(channel).get(question, signal));
  await reader.next();
}

const open = (destination: DestinationServer) => destination.sample('kedge_grpc_connections');
const refused = (destination: DestinationServer) =>
  destination.sample('kedge_grpc_connections_refused_total', 'reason="too_many_connections"');

describe(`${all.toLocaleString('en')} idle gRPC connections`, () => {
  it(
    'are all that the server takes, so many from one address; others are served beside them, and memory is bounded',
    async () => {
      await using destination = await new DestinationServer(TestCa.create(), { connections: all }).start();
      destination.know(shopAt({ port: 80 }));
      using clients = new IdleClients(destination);
      const before = process.memoryUsage().rss;

      expect(await clients.connect('127.1.0.1', perAddress + 50)).toEqual({
        connected: perAddress,
        refused: 50,
      });
      for (let taken = perAddress, host = 2; taken < all - 10; host++) {
        const more = Math.min(perAddress, all - 10 - taken);
        expect(await clients.connect(`127.1.0.${host}`, more)).toEqual({ connected: more, refused: 0 });
        taken += more;
      }
      expect(await open(destination)).toBe(all - 10);
      // An idle connection takes 90 to 120 KiB, most of it in TLS and HTTP/2.
      expect(process.memoryUsage().rss - before).toBeLessThan(all * 200 * 1024);
      await isServed(destination);

      const standing = await connectRaw(destination.address, {
        ca: destination.server.ca.bundle.pem,
        servername: serverIdentity.dnsName,
      });
      const last = await clients.connect('127.1.1.1', 30);
      expect(last.connected + last.refused).toBe(30);
      expect(await open(destination)).toBe(all);
      expect(await refused(destination)).toBe(50 + last.refused);
      // Who is connected already is served as before.
      const answer = await standing.call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
      expect(answer.status).toBe(0);
      standing[Symbol.dispose]();
    },
    timeoutMs,
  );

  it(
    'cannot keep others out for ever: each is closed after a while without calls, and its place is free',
    async () => {
      const limits = { connections: 20, idleMs: 1_000 };
      await using destination = await new DestinationServer(TestCa.create(), limits).start();
      destination.know(shopAt({ port: 80 }));
      using clients = new IdleClients(destination);
      await clients.connect('127.1.0.1', 50);
      expect(await refused(destination)).toBeGreaterThan(0);
      await eventually(() => isServed(destination));
      await eventually(async () => expect(await open(destination)).toBeLessThanOrEqual(1));
    },
    timeoutMs,
  );
});
