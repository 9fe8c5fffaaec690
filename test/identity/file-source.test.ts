import { anchorsFile } from '../../src/identity/anchors-file.ts';
import { FileSource } from '../../src/identity/file-source.ts';
import { identityMetrics } from '../../src/identity/identity-metrics.ts';
import { Health } from '../../src/identity/health.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Readiness } from '../../src/runtime/readiness.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';

/** A file with a number in it. */
class Bench implements Disposable {
  readonly directory = new TemporaryDirectory();
  readonly log = new LogCapture();
  readonly readiness = new Readiness();
  readonly metrics = new Metrics();
  readonly source: FileSource<number>;
  readonly #ended = new AbortController();

  constructor() {
    const parse = (text: string): number => {
      if (/^\d+$/.test(text)) return Number(text);
      throw new RangeError('expected digits');
    };
    const path = this.directory.file('number');
    const clock = new ManualClock();
    this.source = new FileSource({ what: 'numbers', path, parse, clock, log: this.log });
    new Health(this.readiness, identityMetrics(this.metrics)).follow('numbers', this.source);
  }

  write(text: string | undefined): void {
    this.directory.write({ number: text });
  }

  start(): Promise<void> {
    return this.source.start(this.#ended.signal);
  }

  async holds(value: number | undefined, problem: string | undefined): Promise<void> {
    await eventually(() => {
      expect(this.source.current.value).toBe(value);
      if (problem === undefined) expect(this.source.problem.value).toBeUndefined();
      else expect(this.source.problem.value).toContain(problem);
    });
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.directory[Symbol.dispose]();
  }
}

describe('FileSource', () => {
  it('has the content once it has started, and each new one', async () => {
    using bench = new Bench();
    bench.write('1');
    await bench.start();
    expect(bench.source.current.value).toBe(1);
    bench.write('2');
    await bench.holds(2, undefined);
    expect(bench.log.withMessage('numbers loaded')).toHaveLength(2);
  });

  it('is not ready before there is a first good content, and says why', async () => {
    using bench = new Bench();
    await bench.start();
    expect(bench.readiness.report()).toContain(
      'waiting: numbers: not yet\ndegraded: numbers: expected a file at ',
    );
    bench.write('one');
    await bench.holds(undefined, 'expected digits');
    expect(bench.log.withMessage('numbers refused, there are none yet')).toHaveLength(2);
    bench.write('1');
    await bench.holds(1, undefined);
    expect(bench.readiness.report()).toBe('ready\n');
  });

  it.each<[string, string | undefined, string]>([
    ['is not good', 'two', 'expected digits'],
    ['is cut off', '', 'expected digits'],
    ['is gone', undefined, 'expected a file at'],
  ])('keeps the last good content when the new one %s, says so and recovers', async (_, text, problem) => {
    using bench = new Bench();
    bench.write('1');
    await bench.start();
    bench.write(text);
    await bench.holds(1, problem);
    expect(bench.readiness.report()).toMatch(/^ready\ndegraded: numbers: expected /);
    expect(await bench.metrics.text()).toContain('kedge_identity_degraded{part="numbers"} 1');
    expect(bench.log.withMessage('numbers refused, the last good ones stay in use')).toHaveLength(1);
    bench.write('3');
    await bench.holds(3, undefined);
    expect(bench.readiness.report()).toBe('ready\n');
    expect(await bench.metrics.text()).toContain('kedge_identity_degraded{part="numbers"} 0');
  });
});

describe('anchorsFile', () => {
  it('publishes the anchors in the file and tells of those that have ended', async () => {
    using directory = new TemporaryDirectory();
    const log = new LogCapture();
    const clock = new ManualClock(new Date());
    const ended = TestCa.create({ notAfter: new Date(clock.now().getTime() - 60_000) });
    const bundle = TestCa.create().bundle.union(ended.bundle);
    directory.write({ 'ca-bundle.crt': bundle.pem });
    const stop = new AbortController();
    const source = anchorsFile(directory.file('ca-bundle.crt'), clock, log);
    await source.start(stop.signal);
    stop.abort();
    expect(source.current.value?.equals(bundle)).toBe(true);
    expect(log.withMessage('a trust anchor has ended; take it out of the bundle')[0]?.fields).toMatchObject({
      anchor: ended.certificate.label,
      fingerprint: ended.certificate.fingerprint,
    });
  });

  it('keeps the anchors when the file becomes empty, so that nobody is left without', async () => {
    using directory = new TemporaryDirectory();
    const stop = new AbortController();
    const { bundle } = TestCa.create();
    directory.write({ 'ca-bundle.crt': bundle.pem });
    const source = anchorsFile(directory.file('ca-bundle.crt'), new ManualClock(), new LogCapture());
    await source.start(stop.signal);
    directory.write({ 'ca-bundle.crt': '' });
    await eventually(() => expect(source.problem.value).toContain('trust bundle'));
    stop.abort();
    expect(source.current.value?.equals(bundle)).toBe(true);
  });
});
