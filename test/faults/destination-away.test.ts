import { createServer } from 'node:net';

import { followStream } from '../../src/proxy/control-stream.ts';
import { readProxySettings } from '../../src/proxy/settings/read-proxy-settings.ts';
import { destinationClient } from '../../src/rpc/destination-api.ts';
import { connectChannel } from '../../src/rpc/connect-channel.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { closeServer, listen } from '../../src/runtime/listen.ts';
import { formatSocketAddress } from '../../src/runtime/socket-address.ts';
import { anywhere, TestMesh } from '../proxy/support/test-mesh.ts';
import { RawServer, TestClient } from '../proxy/outbound/support/rig.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { passing } from '../support/passing.ts';
import { serverIdentity } from '../support/rpc-server.ts';
import { DestinationServer, shopAt } from './support/destination-server.ts';

const target = 'api.shop.svc.cluster.local:80';

/** An application that answers everything with its name. */
function named(name: string): Promise<RawServer> {
  return new RawServer((socket) => socket.on('data', () => socket.write(name))).start();
}

/** A proxy that asks a destination service of its own where `api.shop` is. */
async function openShop(clock?: Clock) {
  const stack = new AsyncDisposableStack();
  const mesh = stack.use(await new TestMesh().start());
  const destination = stack.use(await new DestinationServer(mesh.ca).start());
  const settings = {
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: formatSocketAddress(destination.address),
    KEDGE_PROXY_OUTBOUND_FORWARD: `127.0.0.1:0=${target}`,
  };
  const proxy = await mesh.proxy('web', settings, clock);
  const address = proxy.addresses.outboundForwards[0]!;
  return {
    destination,
    proxy,
    /** Whom a new connection reaches. */
    reached: async (): Promise<string> => {
      using client = new TestClient(address).send('who?');
      return await eventually(() => {
        if (client.received === '') throw new Error(`expected an answer, got ${client.brokenBy}`);
        return client.received;
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('while the destination service is away', () => {
  it('new connections go where it said last, and what changed meanwhile holds when it is back', async () => {
    await using old = await named('old');
    await using fresh = await named('fresh');
    await using shop = await openShop();
    shop.destination.know(shopAt(old.address));
    expect(await shop.reached()).toBe('old');

    await shop.destination.stop();
    shop.destination.know(shopAt(fresh.address));
    for (let i = 0; i < 20; i++) expect(await shop.reached()).toBe('old');
    const { readiness, log } = shop.proxy;
    await eventually(() => expect(readiness.report()).toContain('degraded: destination: '));
    expect(readiness.ready).toBe(true);
    expect(log.withMessage('the destination service is away; what it told stays in use')).not.toEqual([]);

    await shop.destination.start();
    await eventually(async () => expect(await shop.reached()).toBe('fresh'));
    await eventually(() => expect(readiness.report()).toBe('ready\n'));
    const before = old.connections;
    for (let i = 0; i < 20; i++) expect(await shop.reached()).toBe('fresh');
    expect(old.connections).toBe(before);
  });

  it('it is asked as soon as it is connected again, however long the back-off of a stream would still be', async () => {
    const clock = new ManualClock(new Date());
    await using old = await named('old');
    await using fresh = await named('fresh');
    await using shop = await openShop(clock);
    shop.destination.know(shopAt(old.address));
    expect(await shop.reached()).toBe('old');
    await shop.destination.stop();
    shop.destination.know(shopAt(fresh.address));
    await passing(clock, () => expect(shop.proxy.readiness.report()).toContain('ECONNREFUSED'));
    await clock.advance(2_000);

    await shop.destination.start();
    // The clock of the proxy stands still from here on.
    await eventually(async () => expect(await shop.reached()).toBe('fresh'));
  });

  it('a service that went meanwhile is known to have no endpoint when it is back', async () => {
    await using app = await named('app');
    await using shop = await openShop();
    shop.destination.know(shopAt(app.address));
    expect(await shop.reached()).toBe('app');
    await shop.destination.stop();
    shop.destination.know('services: {}');
    expect(await shop.reached()).toBe('app');
    await shop.destination.start();
    await eventually(async () => {
      using client = new TestClient(shop.proxy.addresses.outboundForwards[0]!).send('who?');
      await eventually(() => expect(client.received !== '' || client.brokenBy !== undefined).toBe(true));
      expect(client.brokenBy).toBe('ECONNRESET');
    });
  });
});

/** As a proxy is told by default. */
async function defaultBackoff() {
  await using mesh = await new TestMesh().start();
  const { backoffMinMs, backoffMaxMs, backoffJitter } = readProxySettings(mesh.environment('web'));
  return { minMs: backoffMinMs, maxMs: backoffMaxMs, jitter: backoffJitter };
}

describe('the streams of many proxies', () => {
  it('ask seldom during an outage of ten minutes, and come back spread over time', async () => {
    const streams = 200;
    const outageMs = 600_000;
    const backoff = await defaultBackoff();
    const clock = new ManualClock();
    const began = clock.now().getTime();
    const elapsed = (): number => clock.now().getTime() - began;
    const stop = new AbortController();
    let asked = 0;
    const back: number[] = [];
    const limits = { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined };
    async function* open(signal: AbortSignal): AsyncGenerator<never> {
      asked++;
      if (elapsed() < outageMs) throw new AppError('scripted', 'unavailable', 'away');
      back.push(elapsed() - outageMs);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    }
    const stream = { open, onMessage: () => undefined, onRefused: () => undefined };
    const followed = Array.from({ length: streams }, () =>
      followStream(stream, { limits, backoff, clock }, stop.signal),
    );
    await clock.advance(outageMs + 2 * backoff.maxMs);
    stop.abort();
    await Promise.all(followed);

    const growing = Math.ceil(Math.log2(backoff.maxMs / backoff.minMs));
    expect(asked / streams).toBeLessThan(outageMs / backoff.maxMs + growing + 2);
    expect(back).toHaveLength(streams);
    expect(Math.max(...back)).toBeLessThan(backoff.maxMs * (1 + backoff.jitter));
    const slices = new Map<number, number>();
    for (const ms of back) slices.set(Math.floor(ms / 1_000), (slices.get(Math.floor(ms / 1_000)) ?? 0) + 1);
    expect(Math.max(...slices.values())).toBeLessThan(streams / 2);
  });

  it('share one attempt to connect for each proxy, however many they are', async () => {
    const proxies = 10;
    const streamsOfEach = 50;
    const reconnect = { minMs: 100, maxMs: 1_000 };
    await using mesh = await new TestMesh().start();
    let attempts = 0;
    const away = createServer((socket) => {
      attempts++;
      socket.resetAndDestroy();
    });
    const address = await listen(away, anywhere);
    const stop = new AbortController();
    const clock = new ManualClock();
    const limits = { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined };
    let asked = 0;
    const channels = Array.from({ length: proxies }, () =>
      connectChannel({
        address,
        serverName: serverIdentity.dnsName,
        credentials: new LatestValue(undefined),
        bundle: new LatestValue(mesh.ca.bundle),
        log: new LogCapture(),
        reconnect,
      }),
    );
    const began = performance.now();
    const followed = channels.flatMap((channel) =>
      Array.from({ length: streamsOfEach }, () =>
        followStream(
          {
            open: (signal) => {
              asked++;
              return destinationClient(channel).get({ scheme: '', path: target, contextToken: '' }, signal);
            },
            onMessage: () => undefined,
            onRefused: () => undefined,
          },
          { limits, backoff: { minMs: 100, maxMs: 100, jitter: 0.1 }, clock },
          stop.signal,
        ),
      ),
    );
    try {
      await eventually(async () => {
        await clock.advance(100);
        expect(attempts).toBeGreaterThan(3 * proxies);
      });
      // The shortest waits that its jitter of a fifth allows, and one attempt at once.
      let mostOfEach = 1;
      let waitedMs = 0;
      for (let ms = reconnect.minMs; waitedMs < performance.now() - began; mostOfEach++) {
        waitedMs += 0.8 * ms;
        ms = Math.min(ms * 1.6, reconnect.maxMs);
      }
      expect(attempts).toBeLessThanOrEqual(proxies * mostOfEach);
      expect(asked).toBeGreaterThan(10 * attempts);
    } finally {
      stop.abort();
      for (const channel of channels) channel.close();
      await Promise.all(followed);
      await closeServer(away, AbortSignal.abort());
    }
  });
});
