import { EventRecorder } from '../../src/kube/event-recorder.ts';
import type { Happening } from '../../src/kube/event-series.ts';
import { events } from '../../src/kube/resources.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { fixedCredentials, TestConnection } from './support/kube-connection.ts';

const kind = '/apis/events.k8s.io/v1/events';

const issued = (name: string, note = 'a certificate was issued'): Happening => ({
  regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name, uid: `uid-of-${name}` },
  type: 'Normal',
  reason: 'CertificateIssued',
  action: 'Certify',
  note,
});

class Recording implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly recorder: EventRecorder;
  readonly #client: TestConnection;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(api: FakeKubeApi) {
    const { clock, log, metrics } = this;
    this.#client = TestConnection.to({ load: fixedCredentials(api.url) });
    const who = { controller: 'kedge-identity', instance: 'kedge-identity-0' };
    this.recorder = new EventRecorder({ client: this.#client, ...who, clock, log, metrics });
    this.#running = this.recorder.run(this.#stop.signal);
  }

  async total(result: string): Promise<number> {
    const text = await this.metrics.text();
    return Number(new RegExp(`kedge_kube_events_total\\{result="${result}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
  }

  /** Lets time pass until `check` holds. */
  passing(check: () => void | Promise<void>): Promise<void> {
    return eventually(async () => {
      await this.clock.advance(100);
      await check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#client[Symbol.dispose]();
  }
}

describe('EventRecorder', () => {
  it('writes an Event about the object, in its namespace, with who says it', async () => {
    await using api = await FakeKubeApi.start();
    await using recording = new Recording(api);
    recording.recorder.record(issued('web'));
    await eventually(() => expect(api.objects.list(kind)).toHaveLength(1));
    expect(api.objects.list(kind)[0]).toMatchObject({
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) as string },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'kedge-identity',
      reportingInstance: 'kedge-identity-0',
      action: 'Certify',
      reason: 'CertificateIssued',
      type: 'Normal',
      note: 'a certificate was issued',
      regarding: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-of-web' },
    });
  });

  it('counts what happens again in the same Event, written at most each half minute', async () => {
    await using api = await FakeKubeApi.start();
    await using recording = new Recording(api);
    recording.recorder.record(issued('web'));
    await eventually(async () => expect(await recording.total('written')).toBe(1));
    for (let again = 0; again < 1_000; again++) recording.recorder.record(issued('web', 'other words'));
    await recording.clock.advance(29_000);
    expect(api.requests).toHaveLength(1);
    await recording.passing(() => expect(api.requests).toHaveLength(2));
    await eventually(() => expect(api.objects.list(kind)).toMatchObject([{ series: { count: 1_001 } }]));
    expect(await recording.total('counted')).toBe(1_000);
  });

  it('begins another Event after ten quiet minutes, and when the API server has thrown the first away', async () => {
    await using api = await FakeKubeApi.start();
    await using recording = new Recording(api);
    recording.recorder.record(issued('web'));
    await eventually(async () => expect(await recording.total('written')).toBe(1));
    await recording.clock.advance(600_001);
    recording.recorder.record(issued('web'));
    await recording.passing(() => expect(api.objects.list(kind)).toHaveLength(2));
    for (const { metadata } of api.objects.list(kind)) api.delete(events, `shop/${metadata.name}`);
    recording.recorder.record(issued('web'));
    await recording.passing(() => expect(api.objects.list(kind)).toHaveLength(1));
    expect(await recording.total('lost')).toBe(0);
  });

  it('never waits and never writes more than five a second, whatever is recorded; the rest is lost and counted', async () => {
    await using api = await FakeKubeApi.start();
    await using recording = new Recording(api);
    for (let n = 0; n < 5_000; n++) recording.recorder.record(issued(`pod-${n}`));
    expect(await recording.total('lost')).toBe(4_000);
    await eventually(() => expect(api.requests).toHaveLength(1));
    const before = recording.clock.now().getTime();
    await recording.passing(() => expect(api.requests.length).toBeGreaterThan(10));
    const seconds = (recording.clock.now().getTime() - before) / 1_000;
    expect(api.requests.length).toBeLessThanOrEqual(1 + 5 * seconds);
    expect(recording.log.withMessage('an event could not be written').length).toBeLessThanOrEqual(10);
  });

  it('tries again while the API server is away, and gives up in the end', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 503, status(503, 'ServiceUnavailable'));
      return true;
    };
    await using recording = new Recording(api);
    recording.recorder.record(issued('web'));
    await eventually(() => expect(api.requests).toHaveLength(1));
    api.fault = () => false;
    await recording.passing(() => expect(api.objects.list(kind)).toHaveLength(1));
    api.fault = (_request, response) => {
      answer(response, 503, status(503, 'ServiceUnavailable'));
      return true;
    };
    recording.recorder.record(issued('api'));
    await recording.passing(async () => expect(await recording.total('lost')).toBe(1));
  });

  it('loses what it may not write, with the reason in the log', async () => {
    await using api = await FakeKubeApi.start();
    api.fault = (_request, response) => {
      answer(response, 403, status(403, 'Forbidden'));
      return true;
    };
    await using recording = new Recording(api);
    recording.recorder.record(issued('web'));
    await recording.passing(async () => expect(await recording.total('lost')).toBe(1));
    expect(recording.log.withMessage('an event could not be written')[0]?.fields).toMatchObject({
      code: 'kube_forbidden',
      reason: 'CertificateIssued',
    });
  });

  it('keeps to what the API takes: long names and notes, objects of the whole cluster', async () => {
    await using api = await FakeKubeApi.start();
    await using recording = new Recording(api);
    const regarding = { apiVersion: 'v1', kind: 'Node', name: `${'n'.repeat(229)}.${'m'.repeat(20)}` };
    recording.recorder.record({ ...issued('x', 'y'.repeat(5_000)), regarding });
    await eventually(() => expect(api.objects.list(kind)).toHaveLength(1));
    const [event] = api.objects.list(kind) as unknown as [
      { note: string; metadata: { name: string; namespace: string } },
    ];
    expect(event.metadata.namespace).toBe('default');
    expect(event.metadata.name).toMatch(/^n{229}\.[0-9a-f]{16}$/);
    expect(event.note).toHaveLength(1_000);
  });
});
