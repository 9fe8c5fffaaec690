import { Resolver } from '../../../src/proxy/outbound/resolver.ts';
import type { DestinationClient, DestinationProfile, Update } from '../../../src/rpc/destination-api.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { IpNetwork } from '../../../src/runtime/ip-network.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { add, at, meshed, profileOf } from './support/messages.ts';

const api = { host: 'api.shop.svc.cluster.local', port: 7000 };
const web = { host: 'web.shop.svc.cluster.local', port: 7000 };

/** What each stream that is opened does: an answer and then silence, or an error. */
interface Script {
  profile: () => DestinationProfile;
  endpoints: () => Update;
}

function resolving() {
  const clock = new ManualClock();
  const script: Script = {
    profile: () => profileOf(api.host),
    endpoints: () => add(meshed('10.0.0.1:80'), at('10.0.0.2:80', { tlsIdentity: {} })),
  };
  const opened: string[] = [];
  const open = new Set<AbortSignal>();
  async function* answer<M>(message: () => M, path: string, signal: AbortSignal): AsyncGenerator<M> {
    opened.push(path);
    open.add(signal);
    signal.addEventListener('abort', () => open.delete(signal), { once: true });
    try {
      yield message();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      open.delete(signal);
    }
  }
  const client: DestinationClient = {
    getProfile: ({ path }, signal) => answer(() => script.profile(), `profile ${path}`, signal),
    get: ({ path }, signal) => answer(() => script.endpoints(), `get ${path}`, signal),
  };
  const limits = { initialMs: undefined, idleMs: 60_000, lifetimeMs: undefined };
  const backoff = { minMs: 100, maxMs: 400, jitter: 0 };
  const resolver = new Resolver({
    lookup: { client, contextToken: '', stream: { limits, backoff, clock } },
    scope: { suffixes: ['svc.cluster.local'], networks: [IpNetwork.parse('10.0.0.0/8')!] },
    localAddresses: new Set(['10.0.0.9']),
    ejection: backoff,
    idleTimeoutMs: 5000,
    clock,
    random: () => 0,
  });
  const pick = (lease: ReturnType<Resolver['lease']>) => lease.balancer.pick(new Set())?.endpoint;
  return { clock, open, opened, pick, resolver, script };
}

const gone = (): never => {
  throw new AppError('scripted', 'unavailable', 'away');
};

describe('the resolver', () => {
  it('looks a target up once for all its connections', async () => {
    const { clock, opened, pick, resolver } = resolving();
    const leases = [resolver.lease(api), resolver.lease(api)];
    await clock.advance(0);
    expect(leases.map((lease) => pick(lease)?.key)).toEqual(['10.0.0.1:80', '10.0.0.1:80']);
    expect(opened).toEqual([
      'profile api.shop.svc.cluster.local:7000',
      'get api.shop.svc.cluster.local:7000',
    ]);
  });

  it('never offers an endpoint whose identity is unusable', async () => {
    const { clock, resolver } = resolving();
    const { balancer } = resolver.lease(api);
    await clock.advance(0);
    expect(balancer.pick(new Set(['10.0.0.1:80']))).toBeUndefined();
  });

  it('forgets a target some time after its last connection, and its streams with it', async () => {
    const { clock, open, opened, resolver } = resolving();
    const leases = [resolver.lease(api), resolver.lease(api)];
    await clock.advance(0);
    leases[0]?.release();
    leases[0]?.release();
    await clock.advance(60_000);
    const before = opened.length;
    leases[1]?.release();
    await clock.advance(4_999);
    expect(open.size).toBe(2);
    await clock.advance(1);
    expect([open.size, clock.pending]).toEqual([0, 0]);
    resolver.lease(api);
    await clock.advance(0);
    expect(opened).toHaveLength(before + 2);
  });

  it('keeps a target that is asked for again in time', async () => {
    const { clock, open, resolver } = resolving();
    resolver.lease(api).release();
    await clock.advance(4_000);
    resolver.lease(api);
    await clock.advance(50_000);
    expect(open.size).toBe(2);
  });

  it('keeps what it knows while discovery is away, idle or not', async () => {
    const { clock, pick, resolver, script } = resolving();
    const lease = resolver.lease(api);
    await clock.advance(0);
    script.profile = gone;
    script.endpoints = gone;
    await clock.advance(60_000);
    expect(resolver.away.value).toBe('away');
    lease.release();
    await clock.advance(600_000);
    expect(pick(resolver.lease(api))?.key).toBe('10.0.0.1:80');
  });

  it('does not keep a target of which nothing is known', async () => {
    const { clock, resolver, script } = resolving();
    script.profile = gone;
    resolver.lease(api).release();
    await clock.advance(5_000);
    expect([resolver.away.value, clock.pending]).toEqual([undefined, 0]);
  });

  it('tells that discovery is away until the last target is answered for again', async () => {
    const { clock, resolver, script } = resolving();
    const told: (string | undefined)[] = [];
    resolver.away.subscribe((reason) => told.push(reason));
    script.profile = gone;
    resolver.lease(api);
    resolver.lease(web);
    await clock.advance(0);
    script.profile = () => profileOf(api.host);
    await clock.advance(100);
    expect(told).toEqual(['away', undefined]);
  });

  it('asks anew some time after it was refused, although connections keep coming', async () => {
    const { clock, opened, resolver, script } = resolving();
    script.profile = () => {
      throw new AppError('scripted', 'invalid_argument', 'no such name');
    };
    const first = resolver.lease(api);
    await clock.advance(4_000);
    expect(first.state.value.kind).toBe('refused');
    resolver.lease(api).release();
    await clock.advance(1_000);
    script.profile = () => profileOf(api.host);
    const second = resolver.lease(api);
    await clock.advance(0);
    expect([second.state.value.kind, opened.length]).toEqual(['known', 3]);
  });

  it('takes an endpoint of this pod for what it is, without TLS', async () => {
    const { clock, pick, resolver, script } = resolving();
    script.endpoints = () => add(meshed('10.0.0.9:80'));
    const lease = resolver.lease(api);
    await clock.advance(0);
    expect(pick(lease)?.security).toEqual({ kind: 'plain', reason: 'loopback' });
  });

  it('lets an address outside its networks pass through as it is', () => {
    const { opened, pick, resolver } = resolving();
    expect(pick(resolver.lease({ host: '192.0.2.1', port: 443 }))).toMatchObject({
      key: '192.0.2.1:443',
      security: { kind: 'plain', reason: 'not_provided_by_service_discovery' },
    });
    expect(opened).toEqual([]);
  });

  it('refuses a name outside its suffixes', () => {
    const { resolver } = resolving();
    expect(resolver.lease({ host: 'example.com', port: 443 }).state.value).toMatchObject({
      kind: 'refused',
      cause: {
        code: 'outbound_not_looked_up',
        message: 'expected a name that discovery may be asked for, got example.com',
      },
    });
  });

  it('leaves everything when closed', async () => {
    const { clock, open, resolver } = resolving();
    resolver.lease(api);
    resolver.lease(web).release();
    await clock.advance(0);
    resolver.close();
    await clock.advance(0);
    expect([open.size, clock.pending]).toEqual([0, 0]);
  });
});
