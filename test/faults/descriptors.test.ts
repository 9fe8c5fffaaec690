import { eventually } from '../support/eventually.ts';
import { App, Client } from './support/echo.ts';
import { twoProcesses } from './support/two-proxies.ts';
import type { RunningProxy } from './support/two-proxies.ts';

const descriptors = 64;
/** Far more than 64 descriptors can serve. */
const crowd = 60;

const paused = (proxy: RunningProxy) => proxy.count('kedge_accept_paused');
const pauses = (proxy: RunningProxy) => proxy.count('kedge_accept_pauses_total');

describe.each(['client', 'server'] as const)('the proxy of the %s, out of file descriptors', (side) => {
  it('lets further connections wait, serves them when others have ended, and says so', async () => {
    await using app = await App.echo().start();
    await using pair = await twoProcesses(app.address, { [side]: { descriptors } });
    const limited = pair[side];
    using clients = new DisposableStack();
    const all = Array.from({ length: crowd }, () => clients.use(new Client(pair.address)));
    const answered = all.map(async (client) => ({ client, took: await client.roundTrip() }));
    await eventually(async () => expect(await paused(limited)).toBe(1));

    // As long as nobody ends, those in the queue wait, and nobody is cut.
    const capacity = await limited.count('kedge_connection_capacity');
    expect(capacity).toBeLessThan(crowd);
    await eventually(() => expect(all.filter(({ received }) => received > 0).length).toBe(capacity));
    expect(all.map(({ end }) => end).filter((end) => end !== undefined)).toEqual([]);
    expect(await pauses(limited)).toBe(1);

    // Each that ends makes room for one more.
    for (const answer of answered) {
      void answer.then(({ client }) => client.socket.end());
    }
    const ways = await Promise.all(answered);
    expect(ways.map(({ took }) => took).filter((took) => typeof took !== 'number')).toEqual([]);
    await eventually(async () => expect(await paused(limited)).toBe(0));
    const told = (side === 'client' ? pair.clientProcess : pair.serverProcess).lines;
    expect(told.find(({ message }) => message === 'accepting paused')).toMatchObject({
      code: 'no_descriptors',
      error: `expected less than ${capacity} open connections, got as many; others wait until some have ended`,
    });
  });
});

describe('a proxy out of file descriptors', () => {
  it('serves who waits although strangers that say nothing hold all of them', async () => {
    await using app = await App.echo().start();
    await using pair = await twoProcesses(app.address, { server: { descriptors } });
    using stack = new DisposableStack();
    for (let i = 0; i < 20; i++) stack.use(new Client(pair.server.addresses.inbound));
    await eventually(async () => expect(await paused(pair.server)).toBe(1));
    using client = stack.use(new Client(pair.address));
    expect(await client.roundTrip()).toEqual(expect.any(Number));
    expect(await pair.server.refused('inbound_crowded_out')).toBeGreaterThan(0);
  });

  it('resets those who wait when it is told to end, and ends', async () => {
    await using app = await App.echo().start();
    await using pair = await twoProcesses(app.address, { client: { descriptors } });
    using stack = new DisposableStack();
    const clients = Array.from({ length: crowd }, () => stack.use(new Client(pair.address)));
    for (const client of clients) void client.roundTrip();
    await eventually(async () => expect(await paused(pair.client)).toBe(1));
    const capacity = await pair.client.count('kedge_connection_capacity');
    await eventually(() => expect(clients.filter(({ received }) => received > 0).length).toBe(capacity));
    const exited = pair.clientProcess.exitCode();
    pair.clientProcess.signal('SIGTERM');
    await eventually(() =>
      expect(clients.filter(({ end }) => end === 'ECONNRESET').length).toBe(crowd - capacity),
    );
    for (const { socket } of clients) socket.end();
    expect(await exited).toBe(0);
  });
});
