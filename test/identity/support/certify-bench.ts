import { Admission, type AdmissionRates, type Caller } from '../../../src/identity/admission.ts';
import { Audit } from '../../../src/identity/audit.ts';
import { certifier, type Certify, type CertifyAsk } from '../../../src/identity/certify.ts';
import { Holdings } from '../../../src/identity/holdings.ts';
import { identityMetrics } from '../../../src/identity/identity-metrics.ts';
import { JwksVerifier } from '../../../src/identity/token/jwks-verifier.ts';
import { KeySet } from '../../../src/identity/token/key-set.ts';
import type { SubjectMap } from '../../../src/identity/token/subject-map.ts';
import type { TokenVerifier } from '../../../src/identity/token/token-verifier.ts';
import { CheckedIssuer } from '../../../src/issuers/checked-issuer.ts';
import type { IntermediateCa, IssuedCertificate, Issuer } from '../../../src/issuers/issuer.ts';
import { issuerMetrics } from '../../../src/issuers/issuer-metrics.ts';
import { LocalIssuer } from '../../../src/issuers/local/local-issuer.ts';
import type { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { testKeyPair } from '../../support/certificate-builder.ts';
import { buildCsr, type TestCsrOptions } from '../../support/csr-builder.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { clientIdentity, testDomain } from '../../support/rpc-server.ts';
import { TestCa } from '../../support/test-ca.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';

export const hour = 3_600_000;
const keyPair = testKeyPair();

/** An identity service without a network: every part is the real one. `web` may have a certificate, so may `api`. */
export class CertifyBench {
  readonly clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  readonly tokens = new TokenIssuer({ now: () => this.clock.now() });
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly root = TestCa.create();
  readonly ca = this.root.intermediate();
  readonly current: LatestValue<IntermediateCa | undefined>;
  readonly problem = new LatestValue<string | undefined>(undefined);
  readonly anchors = new LatestValue<TrustBundle | undefined>(this.root.bundle);
  /** Which token subjects speak for whom. */
  readonly subjects = new LatestValue<SubjectMap | undefined>(
    new Map([
      ['vm-1', { namespace: 'shop', serviceAccount: 'web' }],
      ['vm-2', { namespace: 'shop', serviceAccount: 'api' }],
    ]),
  );
  readonly issuer: Issuer;
  readonly holdings: Holdings;
  readonly certify: Certify;
  /** Tokens that were verified, well or not. */
  verified = 0;

  constructor(rates: Partial<AdmissionRates> = {}) {
    const { clock, anchors, log, problem } = this;
    const { notBefore, notAfter } = this.ca.certificate;
    this.current = new LatestValue<IntermediateCa | undefined>({ pair: this.ca, notBefore, notAfter });
    this.issuer = new CheckedIssuer(new LocalIssuer({ current: this.current, problem }, clock), {
      ...{ anchors, clock, log, timeoutMs: 10_000 },
      metrics: issuerMetrics(this.metrics),
    });
    this.holdings = new Holdings(clock);
    this.certify = certifier({
      holdings: this.holdings,
      admission: new Admission({ total: 1000, perPeer: 20, perServiceAccount: 50, ...rates }, clock),
      tokens: this.#verifier(),
      domain: testDomain,
      issuer: this.issuer,
      limits: { lifetimeMs: 24 * hour, skewMs: 20_000 },
      clock,
      audit: new Audit(log, identityMetrics(this.metrics), clock),
    });
  }

  /** What the honest `web` asks for; a test says what is different. */
  ask(different: Partial<CertifyAsk> = {}): CertifyAsk {
    return {
      identity: clientIdentity.dnsName,
      token: Buffer.from(this.tokens.sign('vm-1')),
      csr: honestCsr(),
      caller: stranger,
      signal: new AbortController().signal,
      ...different,
    };
  }

  give(different: Partial<CertifyAsk> = {}): Promise<IssuedCertificate> {
    return this.certify(this.ask(different));
  }

  refused(different: Partial<CertifyAsk>): Promise<string> {
    return refusalOf(this.give(different));
  }

  /** Counts what reaches the verifier of tokens. */
  #verifier(): TokenVerifier {
    const keys = new LatestValue<KeySet | undefined>(KeySet.parse(this.tokens.jwks));
    const { issuer, audience } = this.tokens;
    const { subjects, clock } = this;
    const inner = new JwksVerifier({
      keys: {
        current: keys,
        problem: new LatestValue<string | undefined>(undefined),
        refresh: () => Promise.resolve(),
      },
      ...{ subjects, issuer, audience, skewMs: 20_000, clock },
    });
    return {
      verify: (token, signal) => {
        this.verified += 1;
        return inner.verify(token, signal);
      },
    };
  }
}

/** A caller that has no certificate yet. */
export const stranger: Caller = { address: '10.0.0.1', name: undefined };

/** Asks for both names, unless told otherwise; the key is made once for all. */
export function honestCsr(options: TestCsrOptions = {}): Buffer {
  return buildCsr({ keyPair, uris: [clientIdentity.spiffeId], ...options });
}
