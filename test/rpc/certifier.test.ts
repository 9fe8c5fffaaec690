import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Credentials } from '../../src/pki/credentials.ts';
import { Csr } from '../../src/pki/csr.ts';
import type { TrustBundle } from '../../src/pki/trust-bundle.ts';
import { Certifier } from '../../src/rpc/certifier.ts';
import type { CertifierOptions } from '../../src/rpc/certifier.ts';
import { rpcErrors } from '../../src/rpc/errors.ts';
import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import type { CertifyRequest, CertifyResponse, IdentityClient } from '../../src/rpc/identity-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { passing } from '../support/passing.ts';
import { clientIdentity as identity, startServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIFETIME = 24 * HOUR;
/** 70 % of it. */
const RENEWAL = 60_480_000;

/** An identity service of one line: signs whatever key it is shown. */
class FakeIdentity implements IdentityClient {
  ca: TestCa;
  readonly requests: CertifyRequest[] = [];
  readonly #clock: ManualClock;
  lifetimeMs = LIFETIME;
  failure: Error | undefined;
  answers = true;

  constructor(ca: TestCa, clock: ManualClock) {
    this.ca = ca;
    this.#clock = clock;
  }

  certify(request: CertifyRequest, { signal }: { signal?: AbortSignal } = {}): Promise<CertifyResponse> {
    this.requests.push(request);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.answers) return Promise.resolve(this.sign(request));
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  sign(request: CertifyRequest): CertifyResponse {
    const now = this.#clock.now().getTime();
    const { publicKey } = Csr.parse(request.certificateSigningRequest);
    const leaf = this.ca.leaf({
      identity,
      keyPair: { publicKey: publicKey.keyObject, privateKey: this.ca.key },
      notBefore: new Date(now - MINUTE),
      notAfter: new Date(now + this.lifetimeMs),
    });
    return {
      leafCertificate: leaf.certificate.der,
      intermediateCertificates: [],
      validUntil: leaf.certificate.notAfter,
    };
  }
}

/** A certifier that runs, on a clock of its own and with a random of nothing: no jitter. */
async function start(options: Partial<CertifierOptions> & { bundle?: LatestValue<TrustBundle> } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'kedge-certifier-'));
  const tokenFile = path.join(folder, 'token');
  await writeFile(tokenFile, 'first token');
  // Certificates hold whole seconds.
  const clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  const ca = TestCa.create();
  const service = new FakeIdentity(ca, clock);
  const credentials = new LatestValue<Credentials | undefined>(undefined);
  const bundle = options.bundle ?? new LatestValue(ca.bundle);
  const log = new LogCapture();
  const metrics = new Metrics();
  const certifier = new Certifier({
    identity,
    tokenFile,
    client: service,
    credentials,
    bundle,
    clock,
    log,
    metrics,
    minRefreshMs: 10_000,
    maxRefreshMs: 24 * HOUR,
    attemptTimeoutMs: 10_000,
    backoff: { minMs: 1000, maxMs: 10_000, jitter: 0 },
    random: () => 0,
    ...options,
  });
  const stop = new AbortController();
  const ended = certifier.run(stop.signal);
  return {
    folder,
    tokenFile,
    clock,
    ca,
    service,
    credentials,
    bundle,
    log,
    metrics,
    certifier,
    /** Waits for the n-th certificate to be in use, and its renewal to be set. */
    certified: async (count: number): Promise<Credentials> => {
      const obtained = (): number => log.withMessage('certificate obtained').length;
      await eventually(() => expect(obtained()).toBe(count));
      await eventually(() => expect(clock.pending).toBe(1));
      return credentials.value!;
    },
    /** Waits for the n-th request to have failed, and the next to be set. */
    failed: async (count: number, message: string): Promise<void> => {
      await eventually(() => expect(log.withMessage(message)).toHaveLength(count));
      await eventually(() => expect(clock.pending).toBe(1));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      expect(clock.pending).toBe(0);
      await rm(folder, { recursive: true });
    },
  };
}

describe('a certifier', () => {
  it('obtains a certificate at once, for its names and with the token from the file', async () => {
    await using run = await start();
    const { leaf, bundle } = await run.certified(1);
    expect(leaf.sans.dns).toEqual([identity.dnsName]);
    expect(bundle).toBe(run.bundle.value);
    expect(run.service.requests[0]?.token.toString()).toBe('first token');
    expect(run.certifier.credentials.value).toBe(run.credentials.value);
  });

  it('renews after 70 % of the time that is left, with a new key and the token of then', async () => {
    await using run = await start();
    const first = await run.certified(1);
    await writeFile(run.tokenFile, 'second token');
    await run.clock.advance(RENEWAL - MINUTE);
    expect(run.service.requests).toHaveLength(1);
    await run.clock.advance(MINUTE);
    const second = await run.certified(2);
    expect(second.leaf.publicKey.equals(first.leaf.publicKey)).toBe(false);
    expect(second.leaf.notAfter.getTime()).toBeGreaterThan(first.leaf.notAfter.getTime());
    expect(run.service.requests[1]?.token.toString()).toBe('second token');
  });

  it('renews by chance up to a tenth of the lifetime before, and never later: the rest is for outages', async () => {
    await using run = await start({ random: () => 1 });
    await run.certified(1);
    await run.clock.advance(0.6 * LIFETIME - 1000);
    expect(run.service.requests).toHaveLength(1);
    await run.clock.advance(1000);
    await run.certified(2);
  });

  it('renews no sooner and no later than its bounds allow', async () => {
    await using run = await start({ maxRefreshMs: HOUR, minRefreshMs: 30_000 });
    await run.certified(1);
    run.service.lifetimeMs = 10_000;
    await run.clock.advance(HOUR);
    await run.certified(2);
    await run.clock.advance(29_000);
    expect(run.service.requests).toHaveLength(2);
    await run.clock.advance(1000);
    await run.certified(3);
  });

  it('follows the wall clock when it is set forward', async () => {
    await using run = await start();
    await run.certified(1);
    run.clock.set(new Date(run.clock.now().getTime() + 20 * HOUR));
    await run.clock.advance(MINUTE);
    await run.certified(2);
  });

  it('keeps the last good certificate when renewal fails, says until when, and tries again with back-off', async () => {
    await using run = await start();
    const first = await run.certified(1);
    run.service.failure = rpcErrors.error('rpc_unavailable', 'the CA is away');
    await run.clock.advance(RENEWAL);
    const kept = 'certificate not renewed; the present one stays in use';
    await run.failed(1, kept);
    expect(run.credentials.value).toBe(first);
    expect(run.log.withMessage(kept)[0]).toMatchObject({
      level: 'warn',
      fields: {
        code: 'rpc_unavailable',
        error: 'the CA is away',
        retryInMs: 1000,
        validUntil: first.leaf.notAfter.toISOString(),
      },
    });
    await run.clock.advance(1000);
    await run.failed(2, kept);
    await run.clock.advance(1999);
    expect(run.service.requests).toHaveLength(3);
    run.service.failure = undefined;
    await run.clock.advance(1);
    await run.certified(2);
  });

  it('says in an error that the certificate has expired, and goes on trying', async () => {
    await using run = await start({ minRefreshMs: 1000 });
    run.service.lifetimeMs = HOUR;
    run.service.failure = rpcErrors.error('rpc_unavailable', 'away');
    await run.failed(1, 'no certificate yet');
    run.service.failure = undefined;
    await run.clock.advance(1000);
    await run.certified(1);
    run.service.failure = rpcErrors.error('rpc_unavailable', 'away');
    for (let minute = 0; minute < 62; minute++) {
      await run.clock.advance(MINUTE);
      await eventually(() => expect(run.clock.pending).toBe(1));
    }
    expect(run.log.withMessage('certificate expired and not renewed; peers refuse it')[0]?.level).toBe(
      'error',
    );
    run.service.failure = undefined;
    await passing(run.clock, () => expect(run.log.withMessage('certificate obtained')).toHaveLength(2));
  });

  it('tells with the first failed renewal why it failed, and until when the present certificate is good', async () => {
    await using run = await start();
    const { problem } = run.certifier;
    const { leaf } = await run.certified(1);
    expect(problem.value).toBeUndefined();
    run.service.failure = rpcErrors.error('rpc_unavailable', 'the CA is away');
    await run.clock.advance(RENEWAL);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(problem.value).toBe(`not renewed, good until ${leaf.notAfter.toISOString()}: the CA is away`);
    run.service.failure = undefined;
    await run.clock.advance(1000);
    await run.certified(2);
    expect(problem.value).toBeUndefined();
  });

  it('tells why there is no certificate yet, and that one has expired', async () => {
    await using run = await start({
      minRefreshMs: 1000,
      backoff: { minMs: MINUTE, maxMs: MINUTE, jitter: 0 },
    });
    run.service.failure = rpcErrors.error('rpc_unavailable', 'away');
    run.service.lifetimeMs = HOUR;
    await run.failed(1, 'no certificate yet');
    expect(run.certifier.problem.value).toBe('none yet: away');
    run.service.failure = undefined;
    await run.clock.advance(MINUTE);
    const { leaf } = await run.certified(1);
    run.service.failure = rpcErrors.error('rpc_unavailable', 'still away');
    run.clock.set(new Date(leaf.notAfter.getTime() + MINUTE));
    await run.clock.advance(MINUTE);
    await run.failed(1, 'certificate expired and not renewed; peers refuse it');
    expect(run.certifier.problem.value).toBe(
      `expired at ${leaf.notAfter.toISOString()}, peers refuse it: still away`,
    );
  });

  it('replaces a certificate that a clock set back has made one of the future', async () => {
    await using run = await start();
    await run.certified(1);
    run.clock.set(new Date(run.clock.now().getTime() - 10 * MINUTE));
    await run.clock.advance(MINUTE);
    await run.certified(2);
  });

  it('waits as long as the service asks for', async () => {
    await using run = await start();
    await run.certified(1);
    run.service.failure = rpcErrors.error('rpc_resource_exhausted', 'slow down', {
      retryAfterMs: 5 * MINUTE,
    });
    await run.clock.advance(RENEWAL);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    run.service.failure = undefined;
    await run.clock.advance(5 * MINUTE - 1);
    expect(run.service.requests).toHaveLength(2);
    await run.clock.advance(1);
    await run.certified(2);
  });

  it('waits for an answer as long as it is told to', async () => {
    await using run = await start({ attemptTimeoutMs: 60_000 });
    await run.certified(1);
    run.service.answers = false;
    await run.clock.advance(RENEWAL);
    await eventually(() => expect(run.service.requests).toHaveLength(2));
    await run.clock.advance(59_999);
    expect(run.certifier.problem.value).toBeUndefined();
    await run.clock.advance(1);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(run.log.text).toContain('expected a certificate within 60000 ms, got no answer');
  });

  it('gives up a request that gets no answer, and tries again', async () => {
    await using run = await start();
    await run.certified(1);
    run.service.answers = false;
    await run.clock.advance(RENEWAL);
    await eventually(() => expect(run.service.requests).toHaveLength(2));
    await run.clock.advance(10_000);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(run.log.text).toContain('expected a certificate within 10000 ms, got no answer');
    run.service.answers = true;
    await run.clock.advance(1000);
    await run.certified(2);
    // What a CA has begun meanwhile is found again by the key.
    const keys = run.service.requests.map(
      ({ certificateSigningRequest: csr }) => Csr.parse(csr).publicKey.fingerprint,
    );
    expect(keys[2]).toBe(keys[1]);
    expect(keys[1]).not.toBe(keys[0]);
  });

  it('refuses a certificate that is not what it asked for, and keeps the last', async () => {
    await using run = await start();
    const first = await run.certified(1);
    run.service.ca = TestCa.create();
    await run.clock.advance(RENEWAL);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(run.credentials.value).toBe(first);
    expect(run.log.records.at(-1)?.fields).toMatchObject({ code: 'certificate_refused' });
  });

  it('says which token file it misses, and recovers when it comes', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kedge-token-'));
    const tokenFile = path.join(folder, 'late');
    await using run = await start({ tokenFile });
    await run.failed(1, 'no certificate yet');
    expect(run.log.records[0]?.fields['error']).toMatch(/^expected a token in .*late: ENOENT/);
    expect(run.service.requests).toHaveLength(0);
    await writeFile(tokenFile, 'late token');
    await run.clock.advance(1000);
    await run.certified(1);
    await rm(folder, { recursive: true });
  });

  it('never has the token or the key in its log', async () => {
    await using run = await start();
    await run.certified(1);
    run.service.failure = rpcErrors.error('rpc_internal', 'broken');
    await run.clock.advance(RENEWAL);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(run.log.text).not.toMatch(/PRIVATE|first token/);
  });

  it('tells metrics of the expiry, the last refresh and the outcome of each', async () => {
    await using run = await start();
    const { leaf } = await run.certified(1);
    const obtainedAt = run.clock.now().getTime() / 1000;
    run.service.failure = rpcErrors.error('rpc_internal', 'broken');
    await run.clock.advance(RENEWAL);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    const text = await run.metrics.text();
    expect(text).toContain(
      `control_identity_cert_expiration_timestamp_seconds ${leaf.notAfter.getTime() / 1000}\n`,
    );
    expect(text).toContain(`control_identity_cert_refresh_timestamp_seconds ${obtainedAt}\n`);
    expect(text).toContain('control_identity_cert_refreshes_total{result="ok"} 1\n');
    expect(text).toContain('control_identity_cert_refreshes_total{result="error"} 1\n');
  });
});

describe('a certifier whose trust anchors change', () => {
  it('judges peers by the new anchors at once and keeps a certificate that they carry', async () => {
    await using run = await start();
    const first = await run.certified(1);
    const union = run.ca.bundle.union(TestCa.create().bundle);
    run.bundle.set(union);
    expect(run.credentials.value).toEqual({ ...first, bundle: union });
    await run.clock.advance(MINUTE);
    expect(run.service.requests).toHaveLength(1);
  });

  it('asks for another certificate at once when they carry the present one no longer', async () => {
    await using run = await start();
    const first = await run.certified(1);
    const next = TestCa.create();
    run.service.ca = next;
    run.bundle.set(next.bundle);
    expect(run.credentials.value).toMatchObject({ leaf: first.leaf, bundle: next.bundle });
    const second = await run.certified(2);
    expect(second.leaf.isSignedBy(next.certificate.publicKey)).toBe(true);
    expect(
      run.log.withMessage('own certificate does not chain to the new trust anchors; asking for another'),
    ).toHaveLength(1);
  });

  it('goes on with back-off while the service still signs by the removed anchor', async () => {
    await using run = await start();
    await run.certified(1);
    run.bundle.set(TestCa.create().bundle);
    await run.failed(1, 'certificate not renewed; the present one stays in use');
    expect(run.service.requests).toHaveLength(2);
    await run.clock.advance(1000);
    await run.failed(2, 'certificate not renewed; the present one stays in use');
  });

  it('tries again at once when it has none and its answer was refused under the old ones', async () => {
    await using run = await start({ bundle: new LatestValue(TestCa.create().bundle) });
    await run.failed(1, 'no certificate yet');
    run.bundle.set(run.ca.bundle);
    await run.certified(1);
  });
});

describe('a certifier over the wire', () => {
  it('gets its first certificate without one, from a real server, and its signal ends it', async () => {
    const clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
    const ca = TestCa.create();
    const fake = new FakeIdentity(ca, clock);
    await using server = await startServer(
      [identityService({ certify: async (request) => fake.sign(request) })],
      { ca },
    );
    using channel = server.connect();
    await using run = await start({
      client: identityClient(channel),
      bundle: new LatestValue(ca.bundle),
      clock,
    });
    await eventually(() => expect(run.credentials.value?.leaf.sans.dns).toEqual([identity.dnsName]));
  });
});
