import { ExpiryAlerts, type Expiring } from '../../src/kube/expiry-alerts.ts';
import { kubeErrors } from '../../src/kube/errors.ts';
import { events } from '../../src/kube/resources.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryKube } from '../support/memory-kube.ts';

const day = 86_400_000;
const regarding = { apiVersion: 'v1', kind: 'Secret', namespace: 'kedge', name: 'kedge-issuer' };

class Bench implements Disposable {
  readonly kube = new MemoryKube();
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly #ended = new AbortController();
  readonly expiring: Expiring[];

  /** Something that lives so many days, of which so many are over. */
  constructor(days: number, over: number) {
    const notBefore = new Date(this.clock.now().getTime() - over * day);
    const notAfter = new Date(notBefore.getTime() + days * day);
    this.expiring = [{ what: 'issuer', regarding, fingerprint: 'ab'.repeat(32), notBefore, notAfter }];
  }

  start(): this {
    const { kube: client, clock, log } = this;
    const who = { controller: 'kedge-identity', instance: 'pod-0' };
    const alerts = new ExpiryAlerts({ client, ...who, expiring: () => this.expiring, clock, log });
    void alerts.run(this.#ended.signal);
    return this;
  }

  get told(): unknown[] {
    return this.kube.writes.map(({ object }) => (object as { metadata: { name: string } }).metadata.name);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}

const name = (days: number): string => `kedge-issuer.${'ab'.repeat(8)}.${days}d`;

describe('ExpiryAlerts', () => {
  it('tells 60, 14 and 3 days before the end, once each', async () => {
    using bench = new Bench(365, 300).start();
    await bench.clock.advance(4 * day);
    expect(bench.told).toEqual([]);
    await bench.clock.advance(2 * day);
    expect(bench.told).toEqual([name(60)]);
    await bench.clock.advance(60 * day);
    expect(bench.told).toEqual([name(60), name(14), name(3)]);
    expect(bench.kube.writes[0]?.object).toMatchObject({
      metadata: { namespace: 'kedge' },
      regarding,
      type: 'Warning',
      reason: 'CertificateNearsEnd',
      note: `the issuer ${'ab'.repeat(8)} ends at 2026-03-07T00:00:00.000Z, within 60 days; replace it before`,
    });
    expect(bench.log.withMessage('a certificate nears its end')).toHaveLength(3);
  });

  it('tells only the present threshold when it starts late, and nothing again after a restart or beside another replica', async () => {
    using bench = new Bench(365, 360).start().start();
    await bench.clock.advance(day);
    bench.start();
    await bench.clock.advance(day / 2);
    expect(new Set(bench.told)).toEqual(new Set([name(14)]));
    expect(bench.kube.object(events, { namespace: 'kedge', name: name(14) })).toBeDefined();
  });

  it('tells nothing of what was made to live so short', async () => {
    using bench = new Bench(5, 3).start();
    await bench.clock.advance(day);
    expect(bench.told).toEqual([]);
  });

  it('tries again when the Event could not be written', async () => {
    using bench = new Bench(365, 350);
    bench.kube.before = () => {
      throw kubeErrors.error('kube_unreachable', 'away');
    };
    bench.start();
    await bench.clock.advance(day / 4);
    expect(bench.log.withMessage('a certificate nears its end')).toEqual([]);
    bench.kube.before = () => undefined;
    await bench.clock.advance(day);
    expect(bench.told.slice(-2)).toEqual([name(60), name(14)]);
    expect(bench.log.withMessage('a certificate nears its end')).toHaveLength(2);
  });
});
