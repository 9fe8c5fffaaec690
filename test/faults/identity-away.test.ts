import { parseSocketAddress } from '../../src/runtime/socket-address.ts';
import { hour } from '../identity/support/certify-bench.ts';
import { TestClient } from '../proxy/outbound/support/rig.ts';
import type { TestProxy } from '../proxy/support/test-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { passing, step } from '../support/passing.ts';
import { App } from './support/echo.ts';
import { Relay } from './support/relay.ts';
import { twoProxies } from './support/two-proxies.ts';

const minute = 60_000;
const lifetimeMs = 24 * hour;
const kept = 'certificate not renewed; the present one stays in use';

/** A service behind its proxy, and a client's proxy whose way to the identity service, and to that alone, can be cut. */
async function shop() {
  await using starting = new AsyncDisposableStack();
  const app = starting.use(await App.echo().start());
  const proxies = starting.use(await twoProxies(app.address));
  const { mesh } = proxies;
  mesh.lifetimeMs = lifetimeMs;
  const { LINKERD2_PROXY_IDENTITY_SVC_ADDR: identity = '' } = mesh.environment('web');
  const relay = starting.use(new Relay(parseSocketAddress(identity)!));
  await relay.open();
  const clock = new ManualClock(new Date());
  const settings = {
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: `127.0.0.1:${relay.address.port}`,
    KEDGE_PROXY_OUTBOUND_FORWARD: '127.0.0.1:0=api.shop.svc.cluster.local:80',
  };
  const stack = starting.move();
  return {
    ...{ relay, clock },
    proxy: () => mesh.proxy('web', settings, clock),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const obtained = ({ log }: TestProxy): number => log.withMessage('certificate obtained').length;

/** A new connection through both proxies carries what is sent. */
async function carries(proxy: TestProxy, text: string): Promise<void> {
  using client = new TestClient(proxy.addresses.outboundForwards[0]!).send(text);
  await eventually(() => expect([client.received, client.brokenBy]).toEqual([text, undefined]));
}

describe('a proxy whose identity service is away', () => {
  it('at the start: is not ready, says why, tries again with back-off, and is ready once it is there', async () => {
    await using bench = await shop();
    await bench.relay.close();
    const proxy = await bench.proxy();
    await passing(bench.clock, () => expect(failures(proxy).length).toBeGreaterThanOrEqual(6));
    const waits = failures(proxy).map((waitMs) => Math.round(waitMs));
    // A quarter of a second, then twice as long each time, and up to half as much more by chance.
    for (const [at, waitMs] of waits.slice(0, 6).entries()) {
      expect(waitMs / (250 * 2 ** at)).toBeGreaterThanOrEqual(1);
      expect(waitMs / (250 * 2 ** at)).toBeLessThanOrEqual(1.51);
    }
    expect(proxy.readiness.ready).toBe(false);
    expect(proxy.readiness.report()).toContain('waiting: first-certificate: none yet: ');

    await bench.relay.open();
    await passing(bench.clock, () => expect(obtained(proxy)).toBe(1));
    expect(proxy.readiness.ready).toBe(true);
    await carries(proxy, 'hello');
  });

  it('asks as soon as it is connected again, however long its own back-off would still be', async () => {
    await using bench = await shop();
    await bench.relay.close();
    const proxy = await bench.proxy();
    await passing(bench.clock, () => expect(failures(proxy).length).toBeGreaterThanOrEqual(8));
    await bench.relay.open();
    // Its clock stands still from here on.
    await eventually(() => expect(obtained(proxy)).toBe(1));
  });

  it('at the renewal: serves on with the last good certificate, says until when, and renews it after', async () => {
    await using bench = await shop();
    const proxy = await bench.proxy();
    await eventually(() => expect(obtained(proxy)).toBe(1));
    const endsAt = new Date(Math.floor((Date.now() + lifetimeMs) / minute) * minute)
      .toISOString()
      .slice(0, 13);
    await bench.relay.close();
    await step(bench.clock, 0.8 * lifetimeMs);
    await eventually(() => expect(proxy.log.withMessage(kept)).not.toEqual([]));
    expect(proxy.log.withMessage(kept)[0]?.fields['validUntil']).toContain(endsAt);
    expect(proxy.readiness.ready).toBe(true);
    expect(proxy.readiness.report()).toContain(`degraded: certificate: not renewed, good until ${endsAt}`);
    await carries(proxy, 'on the last good one');

    await bench.relay.open();
    await passing(bench.clock, () => expect(obtained(proxy)).toBe(2));
    expect(proxy.readiness.report()).toBe('ready\n');
    await carries(proxy, 'on the next');
  });

  it('for an hour: takes and carries new connections all the while, asks no more than its back-off allows, and recovers', async () => {
    await using bench = await shop();
    const proxy = await bench.proxy();
    await eventually(() => expect(obtained(proxy)).toBe(1));
    await bench.relay.close();
    await step(bench.clock, 0.8 * lifetimeMs);
    for (let passed = 0; passed < 60; passed += 1) {
      await bench.clock.advance(minute);
      if (passed % 15 === 0) await carries(proxy, `after ${passed} minutes`);
    }
    await carries(proxy, 'after an hour');
    // 10 seconds at least between two once the back-off is at its longest, and a few sooner ones before.
    expect(failures(proxy).length).toBeGreaterThan(60);
    expect(failures(proxy).length).toBeLessThan(3600 / 10 + 10);
    expect(proxy.readiness.ready).toBe(true);

    await bench.relay.open();
    await passing(bench.clock, () => expect(obtained(proxy)).toBe(2));
    expect(proxy.readiness.report()).toBe('ready\n');
  });

  it('until its certificate has ended: says that peers refuse it, and is certified anew once the service is back', async () => {
    await using bench = await shop();
    const proxy = await bench.proxy();
    await eventually(() => expect(obtained(proxy)).toBe(1));
    await bench.relay.close();
    await step(bench.clock, 1.01 * lifetimeMs);
    await eventually(() => expect(proxy.readiness.report()).toContain('degraded: certificate: expired at '));
    bench.clock.set(new Date());
    await bench.relay.open();
    await passing(bench.clock, () => expect(obtained(proxy)).toBe(2));
    await carries(proxy, 'again');
  });
});

/** How long the certifier waited after each failure, in milliseconds. */
function failures({ log }: TestProxy): number[] {
  return log.records
    .filter(({ message }) => message === 'no certificate yet' || message === kept)
    .map(({ fields }) => Number(fields['retryInMs']));
}
