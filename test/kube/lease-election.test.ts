import { LeaseElection } from '../../src/kube/lease-election.ts';
import { leases } from '../../src/kube/resources.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fixedCredentials, TestConnection } from './support/kube-connection.ts';

const kind = '/apis/coordination.k8s.io/v1/leases';

class Candidate implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly log = new LogCapture();
  readonly election: LeaseElection;
  readonly history: boolean[] = [];
  readonly #client: TestConnection;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(api: FakeKubeApi, identity: string, clock = new ManualClock()) {
    this.clock = clock;
    this.#client = TestConnection.to({ load: fixedCredentials(api.url), clock });
    this.election = new LeaseElection({
      client: this.#client,
      namespace: 'kedge',
      name: 'kedge-identity',
      identity,
      clock,
      log: this.log,
      random: () => 0,
    });
    this.election.held.subscribe((held) => this.history.push(held));
    this.#running = this.election.run(this.#stop.signal);
  }

  get held(): boolean {
    return this.election.held.value;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#client[Symbol.dispose]();
  }
}

const holder = (api: FakeKubeApi): unknown => api.objects.get(kind, 'kedge/kedge-identity');

describe('LeaseElection', () => {
  it('lets one of two act, and renews it', async () => {
    await using api = await FakeKubeApi.start();
    await using first = new Candidate(api, 'first');
    await first.election.held.until((held) => held);
    await using second = new Candidate(api, 'second', first.clock);
    for (let step = 0; step < 30; step++) {
      const asked = api.requests.length;
      await first.clock.advance(2_000);
      await eventually(() => expect(api.requests.length).toBeGreaterThanOrEqual(asked + 3));
    }
    expect([first.held, second.held, second.history]).toEqual([true, false, []]);
    expect(holder(api)).toMatchObject({ spec: { holderIdentity: 'first', leaseTransitions: 0 } });
  });

  it('hands over at once when the holder ends in order', async () => {
    await using api = await FakeKubeApi.start();
    await using first = new Candidate(api, 'first');
    await first.election.held.until((held) => held);
    await using second = new Candidate(api, 'second');
    await eventually(() => expect(second.clock.pending).toBeGreaterThan(0));
    await first.stop();
    expect(first.history).toEqual([true, false]);
    await eventually(async () => {
      await second.clock.advance(500);
      expect(second.held).toBe(true);
    });
    expect(second.clock.now().getTime()).toBeLessThan(Date.UTC(2026, 0, 1, 0, 0, 15));
    expect(holder(api)).toMatchObject({ spec: { holderIdentity: 'second', leaseTransitions: 1 } });
  });

  it('gives it up before another can have it, when the API server is away', async () => {
    await using api = await FakeKubeApi.start();
    await using first = new Candidate(api, 'first');
    await first.election.held.until((held) => held);
    await api.stop();
    await first.clock.advance(9_999);
    expect(first.held).toBe(true);
    await first.clock.advance(1);
    expect(first.held).toBe(false);
    await api.start();
    await eventually(async () => {
      await first.clock.advance(500);
      expect(first.held).toBe(true);
    });
  });

  it('takes the lease of one that died after its whole duration, by its own clock alone', async () => {
    await using api = await FakeKubeApi.start();
    const now = '2020-01-01T00:00:00.000000Z';
    api.put(leases, {
      metadata: { namespace: 'kedge', name: 'kedge-identity' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: now, acquireTime: now },
    } as never);
    await using second = new Candidate(api, 'second');
    await eventually(() => expect(api.requests).toHaveLength(1));
    for (let passed = 0; passed < 14_000; passed += 2_000) {
      const asked = api.requests.length;
      await second.clock.advance(2_000);
      await eventually(() => expect(api.requests.length).toBeGreaterThan(asked));
    }
    second.clock.set(new Date('2030-01-01T00:00:00Z'));
    expect(second.held).toBe(false);
    await eventually(async () => {
      await second.clock.advance(500);
      expect(second.held).toBe(true);
    });
  });

  it('does not hold what came after the time for which it would have been held', async () => {
    await using api = await FakeKubeApi.start();
    const late: (() => void)[] = [];
    api.fault = ({ method, body }, response) => {
      if (method !== 'POST') return false;
      late.push(() => answer(response, 201, body));
      return true;
    };
    await using only = new Candidate(api, 'only');
    await eventually(() => expect(late).toHaveLength(1));
    await only.clock.advance(10_000);
    late[0]?.();
    await eventually(() => expect(only.clock.pending).toBe(1));
    expect(only.history).toEqual([]);
  });

  it('lets one of two have it who ask at once', async () => {
    await using api = await FakeKubeApi.start();
    const clock = new ManualClock();
    await using one = new Candidate(api, 'one', clock);
    await using two = new Candidate(api, 'two', clock);
    await eventually(() => expect(one.held || two.held).toBe(true));
    await clock.advance(6_000);
    expect([one.held, two.held].filter((held) => held)).toHaveLength(1);
  });

  it('loses it to one who has taken it by hand', async () => {
    await using api = await FakeKubeApi.start();
    await using first = new Candidate(api, 'first');
    await first.election.held.until((held) => held);
    api.put(leases, {
      metadata: { namespace: 'kedge', name: 'kedge-identity' },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 15 },
    } as never);
    await first.clock.advance(2_000);
    await eventually(() => expect(first.held).toBe(false));
  });

  it('says once why it cannot be reached, and holds nothing', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 403, status(403, 'Forbidden'));
      return true;
    };
    await using only = new Candidate(api, 'only');
    await eventually(() => expect(api.requests).toHaveLength(1));
    for (let asked = 1; asked < 5; asked++) {
      await eventually(() => expect(api.requests).toHaveLength(asked));
      await only.clock.advance(2_000);
    }
    expect(only.history).toEqual([]);
    expect(only.log.withMessage('the lease cannot be reached')).toMatchObject([
      { fields: { lease: 'kedge-identity', error: { code: 'kube_forbidden' } } },
    ]);
  });
});
