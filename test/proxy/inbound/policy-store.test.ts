import { defaultPolicy } from '../../../src/proxy/inbound/default-policy.ts';
import { PolicyStore } from '../../../src/proxy/inbound/policy-store.ts';
import type { PolicyLease } from '../../../src/proxy/inbound/policy-store.ts';
import { rpcErrors } from '../../../src/rpc/errors.ts';
import type { PortSpec, Server } from '../../../src/rpc/inbound-policy-api.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { answer, anyone, authz, opaque } from './answers.ts';

type Step = Server | Error | 'end';

/** One watch as the policy service sees it. */
class Watch {
  readonly request: PortSpec;
  readonly signal: AbortSignal;
  #waiting = Promise.withResolvers<Step>();

  constructor(request: PortSpec, signal: AbortSignal) {
    this.request = request;
    this.signal = signal;
  }

  say(step: Step): void {
    this.#waiting.resolve(step);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Server, void> {
    const aborted = new Promise<never>((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason as Error), { once: true });
    });
    for (;;) {
      const step = await Promise.race([this.#waiting.promise, aborted]);
      this.#waiting = Promise.withResolvers<Step>();
      if (step === 'end') return;
      if (step instanceof Error) throw step;
      yield step;
    }
  }
}

class Bench {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly watches: Watch[] = [];
  readonly stop = new AbortController();
  readonly store: PolicyStore;

  private constructor(ports: number[]) {
    this.store = new PolicyStore({
      client: {
        watchPort: (request, signal) => {
          const watch = new Watch(request, signal);
          this.watches.push(watch);
          return watch;
        },
      },
      workload: '{"ns":"shop","pod":"api"}',
      defaultPolicy: (port) => defaultPolicy({ name: 'deny', clusterNetworks: [], opaque: port === 5432 }),
      ports,
      idleMs: 90_000,
      stream: {
        limits: { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined },
        backoff: { minMs: 100, maxMs: 10_000, jitter: 0 },
        clock: this.clock,
      },
      clock: this.clock,
      log: this.log,
      signal: this.stop.signal,
    });
  }

  static async watching(...ports: number[]): Promise<Bench> {
    const bench = new Bench(ports);
    await bench.clock.advance(0);
    return bench;
  }

  async lease(port: number): Promise<PolicyLease> {
    const lease = this.store.lease(port);
    await this.clock.advance(0);
    return lease;
  }

  /** What holds, after the newest watch has said something. */
  async hears(lease: PolicyLease, step: Step): Promise<string> {
    this.watches.at(-1)!.say(step);
    await this.clock.advance(0);
    return lease.policy.value.labels.name;
  }
}

const api = answer([authz(anyone)]);

describe('the policies of ports', () => {
  it('are watched from the start for the ports named', async () => {
    const { watches } = await Bench.watching(80, 443);
    expect(watches.map(({ request }) => request)).toEqual([
      { workload: '{"ns":"shop","pod":"api"}', port: 80 },
      { workload: '{"ns":"shop","pod":"api"}', port: 443 },
    ]);
  });

  it('are the default until there is an answer, then the answer', async () => {
    const bench = await Bench.watching();
    const lease = await bench.lease(80);
    expect(lease.policy.value.labels.name).toBe('deny');
    expect(await bench.hears(lease, api)).toBe('api');
  });

  it('default to opaque on the ports that are', async () => {
    const bench = await Bench.watching();
    expect((await bench.lease(5432)).policy.value.protocol).toBe('opaque');
    const lease = await bench.lease(5433);
    expect(lease.policy.value.protocol).toBe('detect');
    await bench.hears(lease, answer([], opaque));
    expect(lease.policy.value.protocol).toBe('opaque');
  });

  it('are news only for the ports named, since any client can have any other asked for', async () => {
    const bench = await Bench.watching(80);
    await bench.hears(await bench.lease(80), api);
    await bench.hears(await bench.lease(81), api);
    expect(
      bench.log.withMessage('policy received').map(({ level, fields }) => [level, fields['port']]),
    ).toEqual([
      ['info', 80],
      ['debug', 81],
    ]);
  });

  it('are watched once, however many connections there are', async () => {
    const bench = await Bench.watching();
    expect((await bench.lease(80)).policy).toBe((await bench.lease(80)).policy);
    expect(bench.watches).toHaveLength(1);
  });

  it.each([
    ['NOT_FOUND', rpcErrors.error('rpc_not_found', 'unknown server')],
    ['UNAVAILABLE', rpcErrors.error('rpc_unavailable', 'gone')],
    ['a clean end', 'end' as const],
  ])('stay as they were after %s, and are asked for again', async (_what, step) => {
    const bench = await Bench.watching();
    const lease = await bench.lease(80);
    await bench.hears(lease, api);
    expect(await bench.hears(lease, step)).toBe('api');
    expect(bench.watches).toHaveLength(1);
    await bench.clock.advance(100);
    expect(bench.watches).toHaveLength(2);
  });

  it('tell that the service is away once for all of them, until each is answered, refused or forgotten', async () => {
    const bench = await Bench.watching(80, 443, 8080);
    const told: (string | undefined)[] = [];
    bench.store.away.subscribe((reason) => told.push(reason));
    const away = rpcErrors.error('rpc_unavailable', 'cannot connect');
    (await bench.lease(81)).release();
    for (let tried = 1; tried <= 3; tried++) {
      for (const watch of bench.watches.slice(-4)) watch.say(away);
      await bench.clock.advance(0);
      await bench.clock.advance(100 * 2 ** tried);
      expect(bench.watches).toHaveLength(4 * (tried + 1));
    }
    expect(told).toEqual(['cannot connect']);
    expect(bench.log.records).toEqual([]);

    const [first, second, third] = bench.watches.slice(-4);
    first!.say(api);
    second!.say(rpcErrors.error('rpc_invalid_argument', 'no such workload'));
    third!.say(api);
    await bench.clock.advance(0);
    expect(told).toEqual(['cannot connect']);
    await bench.clock.advance(90_000);
    expect(told).toEqual(['cannot connect', undefined]);
  });

  it('tell that the service is away, and why, also where it ended a watch without a word', async () => {
    const bench = await Bench.watching(80);
    await bench.hears(await bench.lease(80), 'end');
    expect(bench.store.away.value).toBe('the stream was ended');
    await bench.clock.advance(100);
    await bench.hears(await bench.lease(80), api);
    expect(bench.store.away.value).toBeUndefined();
  });

  it.each([
    ['INVALID_ARGUMENT', rpcErrors.error('rpc_invalid_argument', 'no such workload')],
    ['FAILED_PRECONDITION', rpcErrors.error('rpc_failed_precondition', 'no')],
  ])('go back to the default for good after %s', async (_what, step) => {
    const bench = await Bench.watching();
    const lease = await bench.lease(80);
    await bench.hears(lease, api);
    expect(await bench.hears(lease, step)).toBe('deny');
    await bench.clock.advance(60_000);
    expect(bench.watches).toHaveLength(1);
  });

  it('let nobody in while the answer is invalid, and say so', async () => {
    const bench = await Bench.watching();
    const lease = await bench.lease(80);
    await bench.hears(lease, api);
    expect(await bench.hears(lease, { ...api, labels: {} })).toBe('invalid');
    expect(lease.policy.value.authorizations).toEqual([]);
    expect(bench.log.withMessage('policy invalid; nobody is let in')[0]?.fields).toMatchObject({
      port: 80,
      error: 'expected a label "name", got none',
    });
    expect(await bench.hears(lease, api)).toBe('api');
  });

  it('are forgotten when the last connection has been gone for a while', async () => {
    const bench = await Bench.watching();
    const [first, second] = [await bench.lease(80), await bench.lease(80)];
    first.release();
    first.release();
    await bench.clock.advance(100_000);
    expect(bench.watches[0]!.signal.aborted).toBe(false);
    second.release();
    await bench.clock.advance(89_999);
    expect(bench.watches[0]!.signal.aborted).toBe(false);
    await bench.clock.advance(1);
    expect(bench.watches[0]!.signal.aborted).toBe(true);
    await bench.lease(80);
    expect(bench.watches).toHaveLength(2);
  });

  it('are kept when a connection comes back in time', async () => {
    const bench = await Bench.watching();
    (await bench.lease(80)).release();
    await bench.clock.advance(80_000);
    await bench.lease(80);
    await bench.clock.advance(80_000);
    expect(bench.watches.every(({ signal }) => !signal.aborted)).toBe(true);
  });

  it('are forgotten early, the longest idle first, when a scan of the ports leaves too many', async () => {
    const bench = await Bench.watching(80);
    const held = await bench.lease(81);
    for (let port = 1000; port < 1258; port++) bench.store.lease(port).release();
    await bench.clock.advance(0);
    const open = bench.watches.map(({ request }) => request.port);
    expect(open.slice(0, 3)).toEqual([80, 81, 1002]);
    expect(open).toHaveLength(2 + 256);
    held.release();
    await bench.clock.advance(0);
    expect(bench.watches[2]!.signal.aborted).toBe(true);
  });

  it('are never forgotten for the ports named', async () => {
    const bench = await Bench.watching(80);
    (await bench.lease(80)).release();
    await bench.clock.advance(200_000);
    expect(bench.watches.at(-1)!.signal.aborted).toBe(false);
  });

  it('are no longer watched when the proxy ends', async () => {
    const bench = await Bench.watching(80);
    bench.stop.abort();
    await bench.clock.advance(0);
    expect(bench.watches[0]!.signal.aborted).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });
});
