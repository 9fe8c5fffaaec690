import type { Credentials } from '../../src/pki/credentials.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { rpcErrors } from '../../src/rpc/errors.ts';
import { trustApiClient, trustService } from '../../src/rpc/trust-api.ts';
import type { PublishedBundle, TrustClient, TrustReport } from '../../src/rpc/trust-api.ts';
import { TrustFollower } from '../../src/rpc/trust-client.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import type { Latest } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientCredentials, clientIdentity, startServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

function published({ pem, sha256 }: TrustBundle): PublishedBundle {
  return { pem, sha256 };
}

/** A trust service that publishes a value and keeps what it is told, or fails. */
class FakeTrust implements TrustClient {
  readonly reports: TrustReport[] = [];
  readonly latest: LatestValue<PublishedBundle>;
  streams = 0;
  failure: Error | undefined;
  #cut = new AbortController();

  constructor(bundle: TrustBundle) {
    this.latest = new LatestValue(published(bundle));
  }

  async *watch(reports: AsyncIterable<TrustReport>, signal: AbortSignal): AsyncGenerator<PublishedBundle> {
    this.streams++;
    if (this.failure !== undefined) throw this.failure;
    void this.#read(reports);
    yield* this.latest.changes(AbortSignal.any([signal, this.#cut.signal]));
    signal.throwIfAborted();
  }

  endStreams(): void {
    this.#cut.abort();
    this.#cut = new AbortController();
  }

  async #read(reports: AsyncIterable<TrustReport>): Promise<void> {
    for await (const report of reports) this.reports.push(report);
  }
}

function start(options: { credentials?: Latest<Credentials | undefined>; client?: TrustClient } = {}) {
  const ca = TestCa.create();
  const clock = new ManualClock(new Date());
  const service = new FakeTrust(ca.bundle);
  const bundle = new LatestValue(ca.bundle);
  const credentials = options.credentials ?? clientCredentials(ca);
  const log = new LogCapture();
  const follower = new TrustFollower({
    client: options.client ?? service,
    bundle,
    credentials,
    clock,
    log,
    backoff: { minMs: 1000, maxMs: 10_000, jitter: 0 },
  });
  const stop = new AbortController();
  const ended = follower.run(stop.signal);
  return {
    ca,
    clock,
    service,
    bundle,
    log,
    follower,
    lastReport: (): TrustReport | undefined => service.reports.at(-1),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      expect(clock.pending).toBe(0);
    },
  };
}

describe('a follower of trust bundles', () => {
  it('reports the bundle in use and the anchor of its own leaf first', async () => {
    await using run = start();
    await eventually(() =>
      expect(run.service.reports).toEqual([
        {
          sha256InUse: run.ca.bundle.sha256,
          leafAnchorSha256: run.ca.certificate.fingerprint,
          refusal: '',
        },
      ]),
    );
  });

  it('takes a new bundle and acknowledges it', async () => {
    await using run = start();
    const next = run.ca.bundle.union(TestCa.create().bundle);
    run.service.latest.set(published(next));
    await eventually(() => expect(run.lastReport()?.sha256InUse).toBe(next.sha256));
    expect(run.follower.bundle.value.equals(next)).toBe(true);
    expect(run.log.withMessage('trust bundle replaced')).toHaveLength(1);
  });

  it('reports no anchor for a leaf that the new bundle does not carry', async () => {
    await using run = start();
    const next = TestCa.create().bundle;
    run.service.latest.set(published(next));
    await eventually(() =>
      expect(run.lastReport()).toEqual({ sha256InUse: next.sha256, leafAnchorSha256: '', refusal: '' }),
    );
  });

  it('reports the anchor of a renewed leaf', async () => {
    const [first, second] = [TestCa.create(), TestCa.create()];
    const union = first.bundle.union(second.bundle);
    const credentials = new LatestValue<Credentials | undefined>(
      first.leaf({ identity: clientIdentity }).credentials(union),
    );
    await using run = start({ credentials });
    run.service.latest.set(published(union));
    await eventually(() => expect(run.lastReport()?.leafAnchorSha256).toBe(first.certificate.fingerprint));
    credentials.set(second.leaf({ identity: clientIdentity }).credentials(union));
    await eventually(() => expect(run.lastReport()?.leafAnchorSha256).toBe(second.certificate.fingerprint));
  });

  const good = TestCa.create().bundle;
  it.each([
    ['that is empty', { pem: '', sha256: good.sha256 }, /./],
    ['that is no PEM', { pem: 'garbage', sha256: good.sha256 }, /PEM/],
    ['with a leaf in it', { pem: TestCa.create().leaf().certificate.pem, sha256: 'x' }, /CA/],
    [
      'that is not what its hash says',
      { pem: good.pem, sha256: '00' },
      /expected a bundle with sha256 00, got/,
    ],
  ])('refuses a bundle %s, says why, and goes on with the present one', async (_, bad, message) => {
    await using run = start();
    run.service.latest.set(bad);
    await eventually(() => expect(run.lastReport()?.refusal).toMatch(message));
    expect(run.lastReport()?.sha256InUse).toBe(run.ca.bundle.sha256);
    expect(run.bundle.value.equals(run.ca.bundle)).toBe(true);
    expect(run.log.withMessage('trust bundle refused; the present one stays in use')).toHaveLength(1);
    run.service.latest.set(published(good));
    await eventually(() =>
      expect(run.lastReport()).toEqual({ sha256InUse: good.sha256, leafAnchorSha256: '', refusal: '' }),
    );
  });

  it('opens the stream again with back-off when it breaks or ends', async () => {
    await using run = start();
    await eventually(() => expect(run.service.reports).toHaveLength(1));
    run.service.endStreams();
    await eventually(() => expect(run.clock.nextDueMs).toBe(1000));
    run.service.failure = rpcErrors.error('rpc_unavailable', 'away');
    await run.clock.advance(1000);
    await eventually(() => expect(run.clock.nextDueMs).toBe(2000));
    run.service.failure = undefined;
    await run.clock.advance(2000);
    await eventually(() => expect(run.service.reports).toHaveLength(2));
    expect(run.log.withMessage('trust bundle stream broke')[0]?.fields).toMatchObject({
      code: 'rpc_unavailable',
      error: 'away',
      retryInMs: 2000,
    });
  });

  it('lives with a service that has no such stream, and asks again much later', async () => {
    const failing: TrustClient = {
      // eslint-disable-next-line require-yield -- it fails before the first message, as the real client does
      watch: async function* () {
        throw rpcErrors.error('rpc_unimplemented', 'no such method');
      },
    };
    await using run = start({ client: failing });
    await eventually(() => expect(run.clock.nextDueMs).toBe(600_000));
    expect(run.log.records.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'the identity service has no trust bundle stream; the configured anchors stay in use'],
    ]);
  });

  it('opens no stream before there is a certificate', async () => {
    const credentials = new LatestValue<Credentials | undefined>(undefined);
    await using run = start({ credentials });
    await run.clock.advance(60_000);
    expect(run.service.streams).toBe(0);
    credentials.set(run.ca.leaf({ identity: clientIdentity }).credentials());
    await eventually(() => expect(run.service.reports).toHaveLength(1));
  });
});

describe('a follower over the wire', () => {
  it('is known by its certificate, takes a bundle and acknowledges it', async () => {
    const ca = TestCa.create();
    const next = ca.bundle.union(TestCa.create().bundle);
    const heard: [string | undefined, string][] = [];
    await using server = await startServer(
      [
        trustService({
          watch: async (reports, call, out) => {
            out.write(published(next));
            for await (const { sha256InUse } of reports) {
              heard.push([call.peer?.dnsNames[0], sha256InUse]);
            }
          },
        }),
      ],
      { ca },
    );
    const credentials = clientCredentials(ca);
    using channel = server.connect({ credentials });
    await using run = start({ client: trustApiClient(channel), credentials });
    await eventually(() => expect(heard.at(-1)).toEqual([clientIdentity.dnsName, next.sha256]));
    expect(run.bundle.value.equals(next)).toBe(true);
  });

  it('finds out that a server has no such stream', async () => {
    await using server = await startServer([]);
    const credentials = clientCredentials(server.ca);
    using channel = server.connect({ credentials });
    await using run = start({ client: trustApiClient(channel), credentials });
    await eventually(() => expect(run.clock.nextDueMs).toBe(600_000));
  });
});
