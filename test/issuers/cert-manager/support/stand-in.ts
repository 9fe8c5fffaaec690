import { createIssuer } from '../../../../src/issuers/create-issuer.ts';
import { issuerSettings } from '../../../../src/issuers/settings.ts';
import type { IssuedCertificate, Issuer, IssueRequest } from '../../../../src/issuers/issuer.ts';
import type { KubeObject } from '../../../../src/kube/kube-object.ts';
import { certificateRequests } from '../../../../src/kube/resources.ts';
import { Csr } from '../../../../src/pki/csr.ts';
import { parsePem } from '../../../../src/pki/pem.ts';
import type { TrustBundle } from '../../../../src/pki/trust-bundle.ts';
import { parseGoDuration } from '../../../../src/runtime/durations.ts';
import { readEnvironment } from '../../../../src/runtime/env.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { fixedCredentials, TestConnection } from '../../../kube/support/kube-connection.ts';
import { generalName } from '../../../support/certificate-builder.ts';
import { eventually } from '../../../support/eventually.ts';
import { answer, FakeKubeApi, status } from '../../../support/fake-kube-api.ts';
import type { FakeRequest } from '../../../support/fake-kube-api.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { serverIdentity } from '../../../support/rpc-server.ts';
import type { TestCa, TestLeafOptions } from '../../../support/test-ca.ts';
import { keyPair, now } from '../../support/issue-request.ts';

/** A CertificateRequest as it is at the API server of a test. */
export interface Asked extends KubeObject {
  readonly spec: {
    readonly request: string;
    readonly duration: string;
    readonly usages: readonly string[];
    readonly isCA: boolean;
    readonly issuerRef: object;
  };
  readonly status?: object;
}

export const collectionPath = '/apis/cert-manager.io/v1/namespaces/kedge/certificaterequests';
const kindPath = '/apis/cert-manager.io/v1/certificaterequests';
export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * The issuer `cert-manager` in mode `direct`, on a clock that a test turns, before an API server without a cert-manager: the
 * test itself writes what a controller, an approver or an external issuer would.
 */
export class StandIn implements AsyncDisposable {
  readonly clock = new ManualClock(now);
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  readonly anchors: LatestValue<TrustBundle | undefined>;
  /** Before each request of the issuer: true where it was answered. */
  fault: FakeKubeApi['fault'] = () => false;
  /** What becomes of a request as soon as it is made. */
  onCreate: (asked: Asked) => void = () => undefined;
  #issuer: Issuer | undefined;
  readonly api: FakeKubeApi;
  readonly #connection: TestConnection;
  readonly #stop = new AbortController();

  private constructor(api: FakeKubeApi, bundle: TrustBundle) {
    this.api = api;
    this.anchors = new LatestValue<TrustBundle | undefined>(bundle);
    this.#connection = TestConnection.to({ load: fixedCredentials(api.url), clock: this.clock });
    api.fault = (request, response) => this.fault(request, response) || this.#create(request, response);
  }

  static async begin(
    bundle: TrustBundle,
    settings: Readonly<Record<string, string>> = {},
    before: (api: FakeKubeApi) => void = () => undefined,
  ): Promise<StandIn> {
    const api = await FakeKubeApi.start();
    before(api);
    const standIn = new StandIn(api, bundle);
    const { anchors, clock, log, metrics } = standIn;
    const environment = { KEDGE_ISSUER: 'cert-manager', KEDGE_ISSUER_MODE: 'direct', ...settings };
    standIn.#issuer = await createIssuer(readEnvironment(issuerSettings, environment), {
      ...{ anchors, clock, log, metrics, identity: serverIdentity, signal: standIn.#stop.signal },
      kube: { client: standIn.#connection, namespace: 'kedge', replica: 'identity-0' },
      secret: () => {
        throw new TypeError('expected no Secret to be asked for');
      },
    });
    await standIn.watching();
    return standIn;
  }

  get issuer(): Issuer {
    if (this.#issuer === undefined) throw new TypeError('expected an issuer');
    return this.#issuer;
  }

  issue(request: IssueRequest, signal = new AbortController().signal): Promise<IssuedCertificate> {
    return this.issuer.issue(request, signal);
  }

  /** Those that are there now. */
  get requests(): Asked[] {
    return this.api.objects.list(kindPath) as Asked[];
  }

  /** The only request that is there, once it is. */
  only(): Promise<Asked> {
    return eventually(() => {
      const [first, ...others] = this.requests;
      if (first === undefined || others.length > 0)
        throw new Error(`expected one, got ${this.requests.length}`);
      return first;
    });
  }

  /** Waits until no request is left. */
  async gone(): Promise<void> {
    await eventually(() => expect(this.requests).toEqual([]));
  }

  watching(): Promise<void> {
    return eventually(() => expect(this.api.openWatches).toBe(1));
  }

  /** Puts one there as another process would have. */
  put(asked: Asked): Asked {
    return this.api.put(certificateRequests, asked) as Asked;
  }

  /** Writes the status. */
  decide(asked: Asked, given: object): void {
    this.put({ ...asked, status: given });
  }

  delete({ metadata: { namespace = '', name } }: Asked): void {
    this.api.delete(certificateRequests, `${namespace}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    this.#connection[Symbol.dispose]();
    await this.api.stop();
  }

  #create({ method, path, body }: FakeRequest, response: Parameters<FakeKubeApi['fault']>[1]): boolean {
    if (method !== 'POST' || path !== collectionPath) return false;
    const given = body as Asked;
    const metadata = {
      ...given.metadata,
      namespace: 'kedge',
      creationTimestamp: this.clock.now().toISOString(),
    };
    if (this.api.objects.get(kindPath, `kedge/${metadata.name}`)) {
      answer(response, 409, status(409, 'AlreadyExists'));
      return true;
    }
    const made = this.put({ ...given, metadata });
    answer(response, 201, made);
    this.onCreate(made);
    return true;
  }
}

/**
 * What an issuer of cert-manager writes when it has signed: unless told otherwise a leaf of the names of the request and of the
 * key that all requests here have, and for its CA the anchor.
 */
export function issuedBy(ca: TestCa, asked: Asked, options: TestLeafOptions = {}, more: object = {}): object {
  const [block] = parsePem(Buffer.from(asked.spec.request, 'base64').toString());
  const { dns, uri } = Csr.parse(block?.der ?? Buffer.alloc(0)).sans;
  const names = [...dns.map(generalName.dns), ...uri.map(generalName.uri)];
  const notBefore = new Date(now);
  const notAfter = new Date(now.getTime() + (parseGoDuration(asked.spec.duration) ?? 0));
  const leaf = ca.leaf({ keyPair, names, notBefore, notAfter, ...options });
  return {
    conditions: [approved, { type: 'Ready', status: 'True', reason: 'Issued', message: 'signed' }],
    certificate: base64([leaf.certificate, ...ca.intermediates].map(({ pem }) => pem).join('')),
    ca: base64(ca.anchor.pem),
    ...more,
  };
}

export const approved = { type: 'Approved', status: 'True', reason: 'policy.cert-manager.io' } as const;

/** A status of these conditions beside the approval. */
export function conditions(...more: readonly object[]): object {
  return { conditions: [approved, ...more] };
}
