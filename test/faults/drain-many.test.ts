import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { eventually } from '../support/eventually.ts';
import { App, Client } from './support/echo.ts';
import { twoProcesses } from './support/two-proxies.ts';

const connections = 2000;
/** Of them, those whose clients do not end in time. */
const stubborn = 200;
const grace = { LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '20s' };

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A client that sends one half of its bytes now and the other when it is told. */
class TwoHalves extends Client {
  readonly #bytes = randomBytes(4096);
  readonly #got: Buffer[] = [];

  begin(): this {
    this.socket.on('data', (piece: Buffer) => this.#got.push(piece));
    this.socket.write(this.#bytes.subarray(0, 2048));
    return this;
  }

  get begun(): boolean {
    return this.received >= 2048;
  }

  /** Resolves when it is over: true where everything came back, and an orderly end after it. */
  async finish(): Promise<boolean> {
    const over = Promise.race([once(this.socket, 'end'), once(this.socket, 'close')]);
    this.socket.end(this.#bytes.subarray(2048));
    await over.catch(() => undefined);
    return this.end === 'end' && digest(Buffer.concat(this.#got)) === digest(this.#bytes);
  }
}

describe.each(['client', 'server'] as const)(
  '2,000 connections, then SIGTERM to the proxy of the %s',
  (side) => {
    it('end whole where they end in time, and are counted and cut where they do not', async () => {
      await using app = await App.echo().start();
      await using pair = await twoProcesses(app.address, { [side]: { settings: grace } });
      const ending = side === 'client' ? pair.clientProcess : pair.serverProcess;
      using stack = new DisposableStack();
      const clients: TwoHalves[] = [];
      for (let i = 0; i < connections; i += 100) {
        const some = Array.from({ length: 100 }, () => stack.use(new TwoHalves(pair.address)).begin());
        clients.push(...some);
        await eventually(() => expect(some.every(({ begun }) => begun)).toBe(true));
      }
      const exited = ending.exitCode();
      ending.signal('SIGTERM');
      await ending.line('ending');

      using late = new Client(side === 'client' ? pair.address : pair.inbound);
      await eventually(() => expect(late.end).toBe('ECONNREFUSED'));
      const patient = await Promise.all(clients.slice(stubborn).map((client) => client.finish()));
      expect(patient.filter((whole) => whole).length).toBe(connections - stubborn);

      expect(await exited).toBe(0);
      const [inbound, outbound] = side === 'client' ? [0, stubborn] : [stubborn, 0];
      expect(await ending.line('grace period over, connections cut')).toMatchObject({ inbound, outbound });
      const cut = clients.slice(0, stubborn);
      await eventually(() => expect(cut.filter(({ end }) => end === 'ECONNRESET').length).toBe(cut.length));
    }, 120_000);
  },
);
