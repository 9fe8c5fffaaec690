import type { ConnectionOptions } from 'node:tls';

import type { AdmissionRates } from '../../../src/identity/admission.ts';
import { certifyService } from '../../../src/identity/identity-service.ts';
import { ServingCredentials } from '../../../src/identity/serving-credentials.ts';
import { serve, type RpcServer } from '../../../src/rpc/server.ts';
import { connectRaw, type RawClient } from '../../support/raw-grpc.ts';
import { serverIdentity, testDomain } from '../../support/rpc-server.ts';
import { CertifyBench, hour } from './certify-bench.ts';

/** The identity service on a real port, behind the certificate it issued to itself. */
export class IdentityServer extends CertifyBench implements AsyncDisposable {
  readonly serving: ServingCredentials;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  readonly #server: Promise<RpcServer>;

  constructor(rates: Partial<AdmissionRates> = {}) {
    super(rates);
    const { issuer, anchors, clock, log } = this;
    const limits = { lifetimeMs: 24 * hour, skewMs: 20_000 };
    this.serving = new ServingCredentials({ identity: serverIdentity, issuer, anchors, clock, log, limits });
    this.#server = serve({
      address: { host: '127.0.0.1', port: 0 },
      credentials: this.serving.current,
      services: [certifyService(this.certify, testDomain)],
      log,
      metrics: this.metrics,
    });
    this.#running = this.serving.run(this.#ended.signal);
  }

  /** Aborted at the end of the test. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  async address(): Promise<RpcServer['address']> {
    await this.serving.current.until((credentials) => credentials !== undefined);
    return (await this.#server).address;
  }

  /** A client that knows the wire and nothing of Kedge, and offers no ALPN; further options are of TLS. */
  async outsider(options: ConnectionOptions & { readonly localAddress?: string } = {}): Promise<RawClient> {
    return connectRaw(await this.address(), {
      ca: this.root.certificate.pem,
      servername: serverIdentity.dnsName,
      minVersion: 'TLSv1.3',
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
    await (await this.#server).close(AbortSignal.abort());
  }
}
