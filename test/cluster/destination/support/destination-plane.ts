import { Csr } from '../../../../src/pki/csr.ts';
import { signLeaf } from '../../../../src/pki/sign-leaf.ts';
import type { Channel } from '../../../../src/rpc/channel.ts';
import { identityService } from '../../../../src/rpc/identity-api.ts';
import type { CertifyRequest, CertifyResponse } from '../../../../src/rpc/identity-api.ts';
import { formatSocketAddress } from '../../../../src/runtime/socket-address.ts';
import type { SocketAddress } from '../../../../src/runtime/socket-address.ts';
import { environmentOf, parseManifests, renderText } from '../../../helm/rendered-chart.ts';
import { connectTo, startServer, testDomain } from '../../../support/rpc-server.ts';
import type { TestServer } from '../../../support/rpc-server.ts';
import { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import { TestCa } from '../../../support/test-ca.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { unusedPorts } from '../../unused-ports.ts';
import { DestinationProcess } from './destination-process.ts';

const account = { namespace: 'kedge', name: 'kedge-destination' };
export const destinationName = testDomain.identity(account.namespace, account.name);

/**
 * The chart in a cluster without nodes, and its destination processes beside it, as many as a test starts: with the
 * settings and the ServiceAccount of their Deployment. An identity service that needs no API server certifies them, so that
 * nothing but destination is judged.
 */
export class DestinationPlane implements AsyncDisposable {
  readonly ca: TestCa;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #own = new AsyncDisposableStack();

  /** Where the chart is already, it stays as it is. */
  static async install(cluster: TestCluster): Promise<DestinationPlane> {
    const text = await renderText({ crds: { install: 'always' } });
    const { status } = await cluster.call(`/api/v1/namespaces/${account.namespace}`);
    if (status === 404) await cluster.createNamespace(account.namespace);
    await cluster.kubectl(['apply', `--namespace=${account.namespace}`, '--filename=-'], { input: text });
    const ca = TestCa.create();
    const identity = await startServer(
      [identityService({ certify: async (request) => certify(ca, request) })],
      {
        ca,
      },
    );
    const kubeconfig = await cluster.kubeconfigAs(account);
    return new DestinationPlane(environmentOf(parseManifests(text), 'kedge-destination'), {
      identity,
      kubeconfig,
    });
  }

  private constructor(
    environment: Readonly<Record<string, string>>,
    { identity, kubeconfig }: { identity: TestServer; kubeconfig: string },
  ) {
    const files = this.#own.use(new TemporaryDirectory());
    this.#own.use(identity);
    this.ca = identity.ca;
    files.write({ anchors: this.ca.bundle.pem, token: 'of nobody' });
    this.#settings = {
      ...environment,
      KEDGE_KUBECONFIG: kubeconfig,
      KEDGE_DESTINATION_LISTEN_ADDR: '127.0.0.1:0',
      KEDGE_POLICY_LISTEN_ADDR: '127.0.0.1:0',
      KEDGE_IDENTITY_ADDR: formatSocketAddress(identity.address),
      KEDGE_TRUST_ANCHORS_FILE: files.file('anchors'),
      KEDGE_TOKEN_FILE: files.file('token'),
    };
  }

  /** Starts a process; it is not waited for. */
  async start(): Promise<DestinationProcess> {
    const [adminPort = 0] = await unusedPorts(1);
    return this.#own.use(new DestinationProcess(this.#settings, adminPort));
  }

  /** A connection of a client without a certificate, as proxies open theirs; over a wire where one stands between. */
  async connect(to: DestinationProcess, wire?: SocketAddress): Promise<Channel> {
    return this.#connect(wire ?? (await to.address()));
  }

  /** The same, to where it serves policy. */
  async connectPolicy(to: DestinationProcess): Promise<Channel> {
    return this.#connect(await to.address('io.linkerd.proxy.outbound.OutboundPolicies'));
  }

  #connect(address: SocketAddress): Channel {
    return this.#own.use(connectTo(address, this.ca, { serverName: destinationName.dnsName }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#own.disposeAsync();
  }
}

/** Believes everybody: who asks is not what is tested here. */
function certify(ca: TestCa, { certificateSigningRequest }: CertifyRequest): CertifyResponse {
  const notAfter = new Date(Date.now() + 3_600_000);
  const leaf = signLeaf(ca, {
    publicKey: Csr.parse(certificateSigningRequest).publicKey,
    dnsName: destinationName.dnsName,
    uri: destinationName.spiffeId,
    notBefore: new Date(Date.now() - 60_000),
    notAfter,
  });
  return { leafCertificate: leaf.der, intermediateCertificates: [], validUntil: notAfter };
}
