import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';

import { admission } from '../../../src/destination/client-rule.ts';
import { DestinationMetrics } from '../../../src/destination/destination-metrics.ts';
import { destinationHandlers } from '../../../src/destination/destination-services.ts';
import type { Catalogue } from '../../../src/destination/file/catalogue.ts';
import { FileSource } from '../../../src/destination/file/file-source.ts';
import { catalogueReader } from '../../../src/destination/file/read-catalogue.ts';
import { Csr } from '../../../src/pki/csr.ts';
import { signLeaf } from '../../../src/pki/sign-leaf.ts';
import { startProxy } from '../../../src/proxy/proxy.ts';
import type { ProxyAddresses } from '../../../src/proxy/proxy.ts';
import { readProxySettings } from '../../../src/proxy/settings/read-proxy-settings.ts';
import { destinationService } from '../../../src/rpc/destination-api.ts';
import { identityService } from '../../../src/rpc/identity-api.ts';
import type { CertifyRequest, CertifyResponse } from '../../../src/rpc/identity-api.ts';
import { inboundPolicyService } from '../../../src/rpc/inbound-policy-api.ts';
import { systemClock, type Clock } from '../../../src/runtime/clock.ts';
import { Closers } from '../../../src/runtime/closers.ts';
import type { Environment } from '../../../src/runtime/env.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { listen } from '../../../src/runtime/listen.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { Readiness } from '../../../src/runtime/readiness.ts';
import { formatSocketAddress } from '../../../src/runtime/socket-address.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { serverIdentity, startServer, testDomain } from '../../support/rpc-server.ts';
import type { TestServer } from '../../support/rpc-server.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';

export const anywhere: SocketAddress = { host: '127.0.0.1', port: 0 };

/** A log whose level nobody minds. */
class TestLog extends LogCapture {
  setLevel(): void {
    // Everything is kept.
  }
}

/** One proxy in this process, started as its main does. */
export interface TestProxy extends AsyncDisposable {
  readonly addresses: ProxyAddresses;
  readonly log: LogCapture;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  /** Drains as after SIGTERM; resolves with the names of what had not finished at the deadline. */
  close(deadline: AbortSignal): Promise<string[]>;
}

/** A control plane in this process, and proxies of workloads it knows; the tokens are the workloads' names. */
export class TestMesh implements AsyncDisposable {
  readonly ca = TestCa.create();
  readonly #catalogue = new LatestValue<Catalogue | undefined>(undefined);
  readonly #files = new TemporaryDirectory();
  readonly #proxies: TestProxy[] = [];
  /** Signs the certificates of workloads; may be replaced. */
  issuer = this.ca.intermediate();
  /** How long they live. */
  lifetimeMs = 3_600_000;
  /** While false, the identity service turns everybody away. */
  certifies = true;
  #control: TestServer | undefined;

  async start(): Promise<this> {
    const source = new FileSource(this.#catalogue);
    const handlers = destinationHandlers({
      endpoints: source,
      policies: source,
      clusterDomain: 'cluster.local',
      clusterNetworks: [],
      admit: admission('meshed', testDomain),
      log: new LogCapture(),
      metrics: new DestinationMetrics(new Metrics()),
    });
    const services = [
      identityService({ certify: async (request) => this.#certify(request) }),
      destinationService(handlers.destination),
      inboundPolicyService(handlers.inboundPolicy),
    ];
    this.#control = await startServer(services, { ca: this.ca });
    return this;
  }

  /** What the destination service knows from now on, as a destination file. */
  know(yaml: string): void {
    this.#catalogue.set(catalogueReader(testDomain)(Buffer.from(yaml)));
  }

  /** Starts the proxy of `shop/<name>-0`; its listeners are on free ports unless told otherwise. */
  async proxy(name: string, settings: Environment = {}, clock: Clock = systemClock): Promise<TestProxy> {
    const log = new TestLog();
    const closers = new Closers(log);
    const context = {
      env: { ...this.environment(name), ...settings },
      log,
      logOutput: { write: () => undefined },
      metrics: new Metrics(),
      readiness: new Readiness(),
      clock,
      signal: new AbortController().signal,
      onClose: (part: string, close: (deadline: AbortSignal) => Promise<void>) => closers.add(part, close),
      setGracePeriod: () => undefined,
    };
    const addresses = await startProxy(readProxySettings(context.env), context);
    const { metrics, readiness } = context;
    const close = (deadline: AbortSignal): Promise<string[]> => closers.closeAll(deadline);
    const proxy = {
      addresses,
      log,
      metrics,
      readiness,
      close,
      [Symbol.asyncDispose]: async () => {
        await close(AbortSignal.abort());
      },
    };
    this.#proxies.push(proxy);
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
    await this.#control?.[Symbol.asyncDispose]();
    this.#files[Symbol.dispose]();
  }

  /** What the proxy of `shop/<name>-0` is started with; its listeners are on free ports. */
  environment(name: string): Environment {
    this.#files.write({ [name]: name });
    const control = formatSocketAddress(this.#control?.address ?? anywhere);
    const workload = JSON.stringify({ ns: 'shop', pod: `${name}-0` });
    return {
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: this.ca.bundle.pem,
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: testDomain.identity('shop', name).dnsName,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: this.#files.file(name),
      LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '100ms',
      LINKERD2_PROXY_IDENTITY_SVC_ADDR: control,
      LINKERD2_PROXY_IDENTITY_SVC_NAME: serverIdentity.dnsName,
      LINKERD2_PROXY_DESTINATION_SVC_ADDR: control,
      LINKERD2_PROXY_DESTINATION_SVC_NAME: serverIdentity.dnsName,
      LINKERD2_PROXY_DESTINATION_CONTEXT: workload,
      LINKERD2_PROXY_POLICY_SVC_ADDR: control,
      LINKERD2_PROXY_POLICY_SVC_NAME: serverIdentity.dnsName,
      LINKERD2_PROXY_POLICY_WORKLOAD: workload,
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
      LINKERD2_PROXY_INBOUND_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: '127.0.0.1:0',
      LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '5s',
      LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '5s',
    };
  }

  #certify({ token, certificateSigningRequest }: CertifyRequest): CertifyResponse {
    if (!this.certifies) throw new AppError('scripted', 'unavailable', 'the issuer is away');
    const { dnsName, spiffeId } = testDomain.identity('shop', token.toString());
    const now = Date.now();
    const leaf = signLeaf(this.issuer, {
      publicKey: Csr.parse(certificateSigningRequest).publicKey,
      dnsName,
      uri: spiffeId,
      notBefore: new Date(now - 60_000),
      notAfter: new Date(now + this.lifetimeMs),
    });
    const intermediates = this.issuer.intermediates.map(({ der }) => der);
    return { leafCertificate: leaf.der, intermediateCertificates: intermediates, validUntil: leaf.notAfter };
  }
}

/**
 * The wire between two proxies: keeps the bytes that pass, and lets its clients come from an address of their own, since
 * 127.0.0.1 itself passes every policy (contract 5.2).
 */
export class Wire implements AsyncDisposable {
  readonly #server: Server = createServer((client) => this.#carry(client));
  readonly #sockets = new Set<Socket>();
  /** Where it leads; set before anything connects. */
  to: SocketAddress = anywhere;
  address: SocketAddress = anywhere;
  bytes = Buffer.alloc(0);

  async start(): Promise<this> {
    this.address = await listen(this.#server, anywhere);
    return this;
  }

  #carry(client: Socket): void {
    const server = connect({ ...this.to, localAddress: '127.0.0.2' });
    for (const [from, into] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => into.resetAndDestroy());
      from.on('data', (piece: Buffer) => {
        this.bytes = Buffer.concat([this.bytes, piece]);
      });
      from.pipe(into);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
