import { Metrics } from '../../src/runtime/metrics.ts';
import { declareProcessMetrics } from '../../src/runtime/process-metrics.ts';

/** The samples of the text format, without its comments. */
const samples = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('metrics', () => {
  it('count with and without labels', async () => {
    const metrics = new Metrics();
    const plain = metrics.counter('plain_total', 'Plain.');
    plain.inc();
    plain.inc(4);
    const labelled = metrics.counter('labelled_total', 'Labelled.', ['result', 'code']);
    labelled.inc({ result: 'ok', code: 0 });
    labelled.inc({ result: 'ok', code: 0 }, 2);
    expect(await samples(metrics)).toEqual(['plain_total 5', 'labelled_total{result="ok",code="0"} 3']);
  });

  it('refuse labels that were not declared, are missing, or are misspelt', () => {
    const counter = new Metrics().counter('a_total', 'A.', ['result']);
    const neverRun = (): void => {
      // @ts-expect-error -- a label is missing
      counter.inc({});
      // @ts-expect-error -- labels are missing
      counter.inc();
      // @ts-expect-error -- no such label
      counter.inc({ reslt: 'ok' });
    };
    expect(neverRun).toBeInstanceOf(Function);
    // @ts-expect-error -- one label too many
    expect(() => counter.inc({ result: 'ok', extra: 1 })).toThrow('extra');
  });

  it('set, raise, lower and remove the values of a gauge', async () => {
    const metrics = new Metrics();
    const gauge = metrics.gauge('open', 'Open.', ['side']);
    gauge.set({ side: 'in' }, 5);
    gauge.inc({ side: 'in' });
    gauge.dec({ side: 'in' }, 2);
    gauge.set({ side: 'out' }, 1);
    gauge.remove({ side: 'out' });
    expect(await samples(metrics)).toEqual(['open{side="in"} 4']);
  });

  it('ask a collect callback at each scrape and show just what it sets', async () => {
    const metrics = new Metrics();
    const open = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    metrics.gauge('open', 'Open.', ['name'], (gauge) => {
      for (const [name, count] of open) gauge.set({ name }, count);
    });
    metrics.counter('bytes_total', 'Bytes.', [], (counter) => counter.inc(10));
    expect(await samples(metrics)).toEqual(['open{name="a"} 1', 'open{name="b"} 2', 'bytes_total 10']);
    open.delete('a');
    expect(await samples(metrics)).toEqual(['open{name="b"} 2', 'bytes_total 10']);
  });

  it('sort observations into buckets', async () => {
    const metrics = new Metrics();
    metrics.histogram('wait_seconds', 'Wait.', ['to'], [0.1, 1]).observe({ to: 'x' }, 0.5);
    expect(await samples(metrics)).toEqual([
      'wait_seconds_bucket{le="0.1",to="x"} 0',
      'wait_seconds_bucket{le="1",to="x"} 1',
      'wait_seconds_bucket{le="+Inf",to="x"} 1',
      'wait_seconds_sum{to="x"} 0.5',
      'wait_seconds_count{to="x"} 1',
    ]);
  });

  it('take a metric declared twice in the same words for one', async () => {
    const metrics = new Metrics();
    metrics.counter('calls_total', 'Calls.').inc();
    metrics.counter('calls_total', 'Calls.').inc();
    expect(await samples(metrics)).toEqual(['calls_total 2']);
  });

  it('refuse a metric declared twice in different words', () => {
    const metrics = new Metrics();
    metrics.counter('calls_total', 'Calls.', ['code']);
    expect(() => metrics.counter('calls_total', 'Calls.', ['result'])).toThrow(
      'expected metric calls_total to be declared in the same words each time',
    );
    expect(() => metrics.gauge('calls_total', 'Calls.', ['code'])).toThrow('calls_total');
  });

  it('are apart from those of another registry', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.counter('calls_total', 'Calls.').inc();
    other.counter('calls_total', 'Calls.');
    expect(await samples(other)).toEqual(['calls_total 0']);
  });

  it('list their declarations for the documentation', () => {
    const metrics = new Metrics();
    metrics.counter('calls_total', 'Calls.', ['code']);
    metrics.histogram('wait_seconds', 'Wait.', [], [1]);
    expect(metrics.declarations).toEqual([
      { name: 'calls_total', type: 'counter', help: 'Calls.', labels: ['code'] },
      { name: 'wait_seconds', type: 'histogram', help: 'Wait.', labels: [] },
    ]);
  });
});

describe('the metrics of the process', () => {
  it('have sensible values at each scrape', async () => {
    const metrics = new Metrics();
    declareProcessMetrics(metrics);
    for (let scrape = 0; scrape < 2; scrape++) {
      const values = new Map((await samples(metrics)).map((line) => line.split(' ') as [string, string]));
      expect(Number(values.get('process_cpu_seconds_total'))).toBeGreaterThan(0);
      expect(Number(values.get('process_resident_memory_bytes'))).toBeGreaterThan(1e6);
      expect(Number(values.get('process_start_time_seconds'))).toBeGreaterThan(1.7e9);
      expect(Number(values.get('process_open_fds'))).toBeGreaterThan(2);
      expect(Number(values.get('process_max_fds'))).toBeGreaterThan(2);
    }
  });
});
