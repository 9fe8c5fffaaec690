import { validityOf } from '../../../src/identity/validity.ts';
import { createIssuer, checkIssuerConfig } from '../../../src/issuers/create-issuer.ts';
import type { IssuerNeeds } from '../../../src/issuers/create-issuer.ts';
import type { IssuedCertificate, Issuer, IssueRequest } from '../../../src/issuers/issuer.ts';
import { issuerSettings } from '../../../src/issuers/settings.ts';
import type { Certificate } from '../../../src/pki/certificate.ts';
import { Csr } from '../../../src/pki/csr.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../../../src/pki/workload-identity.ts';
import { systemClock, type Clock } from '../../../src/runtime/clock.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { testKeyPair } from '../../support/certificate-builder.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import type { TestCsrOptions } from '../../support/csr-builder.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { clientIdentity, serverIdentity } from '../../support/rpc-server.ts';
import type { SecretWatch } from '../../support/secret-watch.ts';

export interface Ask {
  readonly identity?: WorkloadIdentity;
  /** No SPIFFE ID is asked for. */
  readonly dnsOnly?: boolean;
  readonly lifetimeMs?: number;
  /** Of the signing request. */
  readonly csr?: TestCsrOptions;
  readonly signal?: AbortSignal;
}

/** What came of one request. */
export interface Given extends IssuedCertificate {
  readonly request: IssueRequest;
}

export const hourMs = 3_600_000;
const skewMs = 20_000;
const readyWithinMs = 60_000;

/** What every issuer of a column is made with. */
export interface Surroundings {
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly log: LogCapture;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** An issuer with what stands around it, and the way to ask it as the identity service does. */
export class OpenIssuer {
  readonly issuer: Issuer;
  readonly anchors: LatestValue<TrustBundle | undefined>;
  readonly log: LogCapture;
  readonly metrics: Metrics;
  readonly #watch: SecretWatch;
  readonly #ended: AbortController;

  private constructor(
    issuer: Issuer,
    { anchors, log, metrics }: Surroundings,
    watch: SecretWatch,
    ended: AbortController,
  ) {
    this.issuer = issuer;
    this.anchors = anchors;
    this.log = log;
    this.metrics = metrics;
    this.#watch = watch;
    this.#ended = ended;
  }

  /** As `main.ts` of the identity service makes it from these settings. */
  static configured(
    env: Readonly<Record<string, string>>,
    published: readonly Certificate[],
    watch: SecretWatch,
    cluster?: (around: Surroundings) => Pick<IssuerNeeds, 'secret' | 'kube'>,
    clock: Clock = systemClock,
  ): Promise<OpenIssuer> {
    const config = readEnvironment(issuerSettings, env, checkIssuerConfig);
    const more = { identity: serverIdentity, clock };
    return OpenIssuer.made(published, watch, (around) =>
      createIssuer(config, { ...around, ...more, ...cluster?.(around) }),
    );
  }

  static async made(
    published: readonly Certificate[],
    watch: SecretWatch,
    make: (around: Surroundings) => Issuer | Promise<Issuer>,
  ): Promise<OpenIssuer> {
    const ended = new AbortController();
    const anchors = new LatestValue<TrustBundle | undefined>(TrustBundle.of(published));
    const [log, metrics] = [new LogCapture(), new Metrics()];
    const around = { anchors, log, metrics, signal: ended.signal };
    watch.output(() => log.text);
    return new OpenIssuer(await make(around), around, watch, ended);
  }

  /** A certificate for an hour under both names of a workload, unless told otherwise. */
  async ask(ask: Ask = {}): Promise<Given> {
    try {
      const { identity = clientIdentity, lifetimeMs = hourMs, signal } = ask;
      const limits = { lifetimeMs, skewMs };
      const { dnsName, spiffeId: uri } = identity;
      const request: IssueRequest = {
        ...{ identity, dnsName, csr: this.#csr(ask, identity) },
        ...(ask.dnsOnly !== true && { uri }),
        ...validityOf(this.issuer.state.value, limits, systemClock.now()),
      };
      const given = await this.issuer.issue(request, signal ?? new AbortController().signal);
      return { ...given, request };
    } catch (error) {
      this.#watch.error(error);
      throw error;
    }
  }

  /** Resolves when there is something to sign with. */
  async ready(): Promise<void> {
    const { state } = this.issuer;
    await state
      .until((value) => value.state === 'ready', AbortSignal.timeout(readyWithinMs))
      .catch((cause: unknown) => {
        throw new Error(`expected an issuer that can sign, got ${JSON.stringify(state.value)}`, { cause });
      });
  }

  /** What Prometheus would read. */
  metricsText(): Promise<string> {
    return this.metrics.text();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    const metrics = await this.metricsText();
    this.#watch.output(() => metrics);
  }

  #csr({ csr = {}, dnsOnly }: Ask, identity: WorkloadIdentity): Csr {
    const keyPair = csr.keyPair ?? testKeyPair();
    const uris = dnsOnly === true ? [] : [identity.spiffeId];
    const der = buildCsr({ keyPair, dnsNames: [identity.dnsName], uris, ...csr });
    this.#watch.csr(der);
    this.#watch.privateKey(keyPair.privateKey);
    return Csr.parse(der);
  }
}
