import { Health } from '../../src/identity/health.ts';
import { identityMetrics } from '../../src/identity/identity-metrics.ts';
import type { Credentials } from '../../src/pki/credentials.ts';
import { Certifier } from '../../src/rpc/certifier.ts';
import type { IdentityClient } from '../../src/rpc/identity-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Readiness } from '../../src/runtime/readiness.ts';
import type { TestCa } from '../support/test-ca.ts';
import { eventually } from '../support/eventually.ts';
import { clientIdentity as web } from '../support/rpc-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { CertifyBench, hour, stranger } from './support/certify-bench.ts';

const away = 'expected an intermediate from the CA, got 503';

/** A replica in intermediate mode: what it signs with is in its memory, and gone with it. */
class Replica {
  readonly bench = new CertifyBench();
  readonly readiness = new Readiness();

  constructor(isCaAway: boolean) {
    const { bench, readiness } = this;
    if (isCaAway) this.restart();
    const health = new Health(readiness, identityMetrics(new Metrics()));
    health.waitFor('issuer', bench.issuer.state, ({ state }) => state === 'ready');
  }

  /** While the CA is away. */
  restart(): void {
    this.bench.problem.set(away);
    this.bench.current.set(undefined);
  }

  /** The CA is back. */
  load(ca: TestCa): void {
    const { notBefore, notAfter } = ca.certificate;
    this.bench.problem.set(undefined);
    this.bench.current.set({ pair: ca, notBefore, notAfter });
  }

  /** As a proxy reaches it, without the network between. */
  get client(): IdentityClient {
    return {
      certify: async ({ identity, token, certificateSigningRequest: csr }, options) => {
        const signal = options?.signal ?? new AbortController().signal;
        const { leaf, intermediates } = await this.bench.certify({
          identity,
          token,
          csr,
          caller: stranger,
          signal,
        });
        const intermediateCertificates = intermediates.map(({ der }) => der);
        return { leafCertificate: leaf.der, intermediateCertificates, validUntil: leaf.notAfter };
      },
    };
  }
}

describe('identity restarted while the CA is away, in intermediate mode', () => {
  it('is not ready before the CA is back, and tells workloads to come back; the other replicas serve', async () => {
    const [restarted, other] = [new Replica(true), new Replica(false)];
    expect([restarted.readiness.ready, other.readiness.ready]).toEqual([false, true]);
    await expect(restarted.bench.give()).rejects.toMatchObject({
      code: 'issuer_unavailable',
      kind: 'unavailable',
      message: expect.stringContaining(away) as string,
      retryAfterMs: 10_000,
    });
    expect((await other.bench.give()).leaf.sans.dns).toEqual([web.dnsName]);
    restarted.load(restarted.bench.ca);
    expect(restarted.readiness.ready).toBe(true);
    expect((await restarted.bench.give()).leaf.sans.dns).toEqual([web.dnsName]);
  });

  it('leaves running workloads their certificates when all replicas were, and renews them once the CA is back', async () => {
    using directory = new TemporaryDirectory();
    const only = new Replica(false);
    const { bench, client } = only;
    const { clock, log } = bench;
    directory.write({ token: bench.tokens.sign('vm-1', { claims: { exp: 9e9 } }) });
    const credentials = new LatestValue<Credentials | undefined>(undefined);
    const certifier = new Certifier({
      ...{ identity: web, tokenFile: directory.file('token'), client, credentials, clock, log },
      ...{ bundle: new LatestValue(bench.root.bundle), metrics: new Metrics() },
      ...{ minRefreshMs: 10_000, maxRefreshMs: 24 * hour, attemptTimeoutMs: 10_000, random: () => 0 },
    });
    const stop = new AbortController();
    const running = certifier.run(stop.signal);
    const first = await credentials.until((present) => present !== undefined);
    await eventually(() => expect(clock.pending).toBe(1));
    only.restart();
    await clock.advance(0.7 * 24 * hour + 1_000);
    await eventually(() => expect(certifier.problem.value).toContain('good until'));
    expect(credentials.value).toBe(first);
    only.load(bench.ca);
    await eventually(async () => {
      await clock.advance(1_000);
      expect(credentials.value).not.toBe(first);
    });
    expect(certifier.problem.value).toBeUndefined();
    stop.abort();
    await running;
  });
});
