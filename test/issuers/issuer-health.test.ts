import type { Issuer, IssuerState } from '../../src/issuers/issuer.ts';
import { followIssuer } from '../../src/issuers/issuer-health.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';

const day = 86_400_000;
const nearEnd = 'the issuer nears its end and has not been renewed';

class Bench implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly state: LatestValue<IssuerState>;
  readonly told: (string | undefined)[] = [];
  readonly #ended = new AbortController();
  readonly #followed: Promise<void>;

  constructor(state: IssuerState) {
    this.state = new LatestValue(state);
    const issuer: Issuer = { state: this.state, issue: () => Promise.reject(new Error('not asked')) };
    const degraded = (reason: string | undefined): number => this.told.push(reason);
    const { clock, log } = this;
    this.#followed = followIssuer(issuer, { clock, log, degraded, signal: this.#ended.signal });
  }

  get degraded(): string | undefined {
    return this.told.at(-1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#followed;
  }
}

function lasting(days: number, clock = new ManualClock()): IssuerState {
  const notBefore = clock.now();
  return {
    state: 'ready',
    notBefore,
    notAfter: new Date(notBefore.getTime() + days * day),
    fingerprint: 'f',
  };
}

describe('followIssuer', () => {
  it('has nothing to tell of an issuer in good time', async () => {
    await using bench = new Bench(lasting(100));
    await bench.clock.advance(69 * day);
    expect([bench.degraded, bench.log.withMessage(nearEnd)]).toEqual([undefined, []]);
  });

  it('says as degraded that the CA does not answer', async () => {
    await using bench = new Bench(lasting(100));
    const outage = { since: new Date('2026-01-01T00:00:00Z'), reason: 'got 503' };
    bench.state.set({ ...lasting(100), outage } as IssuerState);
    expect(bench.degraded).toBe(
      'the CA does not answer since 2026-01-01T00:00:00.000Z (got 503); nothing is signed meanwhile',
    );
    bench.state.set({ ...lasting(100), outage: { ...outage, standIn: 'local' } } as IssuerState);
    expect(bench.degraded).toBe(
      'the CA does not answer since 2026-01-01T00:00:00.000Z (got 503); local stands in for it until 2026-04-11T00:00:00.000Z',
    );
    bench.state.set(lasting(100));
    expect(bench.degraded).toBeUndefined();
  });

  it('warns once at each of 30 %, 10 % and 2 % of the life left, and says until when', async () => {
    await using bench = new Bench(lasting(1));
    const warnings = (): number => bench.log.withMessage(nearEnd).length;
    const after: number[] = [];
    for (const share of [0.71, 0.1, 0.1, 0.07, 0.01]) {
      await bench.clock.advance(share * day);
      after.push(warnings());
    }
    expect(after).toEqual([1, 1, 2, 2, 3]);
    expect(bench.log.withMessage(nearEnd)[0]).toMatchObject({
      level: 'warn',
      fields: { until: '2026-01-02T00:00:00.000Z', fingerprint: 'f' },
    });
    expect(bench.degraded).toBe('the issuer ends at 2026-01-02T00:00:00.000Z; replace it');
  });

  it('is content again once it was replaced, and warns anew at the end of the next', async () => {
    await using bench = new Bench(lasting(1));
    await bench.clock.advance(0.8 * day);
    bench.state.set(lasting(1, bench.clock));
    expect(bench.degraded).toBeUndefined();
    await bench.clock.advance(0.8 * day);
    expect(bench.log.withMessage(nearEnd)).toHaveLength(2);
  });

  it('tells a problem and a near end together', async () => {
    await using bench = new Bench({ ...lasting(1), degraded: 'tls.key is missing' } as IssuerState);
    await bench.clock.advance(0.8 * day);
    expect(bench.degraded).toBe(
      'tls.key is missing; the issuer ends at 2026-01-02T00:00:00.000Z; replace it',
    );
  });

  it('tells when it can sign, when it cannot any more, and when it can again', async () => {
    await using bench = new Bench({ state: 'unavailable', reason: 'not read yet' });
    expect(bench.degraded).toBe('not read yet');
    bench.state.set(lasting(1));
    expect(bench.degraded).toBeUndefined();
    bench.state.set({ state: 'unavailable', reason: 'it has ended' });
    expect(bench.degraded).toBe('it has ended');
    bench.state.set(lasting(2));
    expect(bench.log.records.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'the issuer can sign'],
      ['error', 'the issuer cannot sign any more'],
      ['info', 'the issuer can sign'],
    ]);
  });
});
