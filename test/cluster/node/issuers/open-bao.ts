import { writeFileSync } from 'node:fs';
import { encodePrivateKey } from '../../../../src/pki/keys.ts';
import { callVault } from '../../../issuers/vault/support/vault-call.ts';
import type { VaultCallOptions, VaultReply } from '../../../issuers/vault/support/vault-call.ts';
import { generalName } from '../../../support/certificate-builder.ts';
import { eventually } from '../../../support/eventually.ts';
import { TestCa } from '../../../support/test-ca.ts';
import { openBaoProgram } from '../../binaries/openbao.ts';
import type { TestCluster } from '../../test-cluster.ts';

const port = 8200;
const serviceName = 'vault.vault.svc';

/**
 * An OpenBao beside the node of a cluster, with TLS and an unseal key, where pods find it at `https://vault.vault.svc:8200`.
 * It ends with the cluster.
 */
export class OpenBao {
  /** What its certificate is signed by. */
  readonly tls = TestCa.create({ commonName: 'tls of vault' });
  readonly #cluster: TestCluster;
  readonly #host: string;
  #rootToken = '';
  #unsealKey = '';

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#host = new URL(cluster.server).hostname;
  }

  /** Resolves when it is unsealed and pods are led to it. */
  static async start(cluster: TestCluster): Promise<OpenBao> {
    const own = new OpenBao(cluster);
    const words = [openBaoProgram, 'server', `-config=${own.#writeFiles()}`];
    const server = cluster.startBeside({ name: 'openbao', words });
    await server.ready(() => own.#call('sys/health'));
    const { body } = await own.#call('sys/init', { method: 'PUT', body: oneShare });
    const { keys, root_token: rootToken } = body as { keys: [string]; root_token: string };
    own.#rootToken = rootToken;
    own.#unsealKey = keys[0];
    await own.unseal();
    await own.#makeService();
    return own;
  }

  /** The body of a 2xx answer to the root; rejects with the server's message otherwise. */
  async expect<T = Readonly<Record<string, unknown>>>(
    path: string,
    options: VaultCallOptions = {},
  ): Promise<T> {
    const { status, body } = await this.#call(path, { token: this.#rootToken, ...options });
    if (status < 300) return body as T;
    throw new Error(`expected ${path} to succeed, got ${status} ${JSON.stringify(body)}`);
  }

  /** Where its own command line finds it, and as whom it comes. */
  get environment(): Readonly<Record<string, string>> {
    return {
      VAULT_ADDR: this.#address,
      VAULT_CACERT: this.#cluster.file('ca.crt'),
      VAULT_TLS_SERVER_NAME: serviceName,
      VAULT_TOKEN: this.#rootToken,
    };
  }

  async seal(): Promise<void> {
    await this.expect('sys/seal', { method: 'PUT' });
  }

  async unseal(): Promise<void> {
    await this.#call('sys/unseal', { body: { key: this.#unsealKey } });
    await eventually(() => this.expect('sys/health'));
  }

  get #address(): string {
    return `https://${this.#host}:${port}`;
  }

  #call(path: string, options?: VaultCallOptions): Promise<VaultReply> {
    return callVault(`${this.#address}/v1/${path}`, options ?? {}, {
      ca: this.tls.certificate.pem,
      servername: serviceName,
    });
  }

  #writeFiles(): string {
    const file = (name: string): string => this.#cluster.file(`openbao.${name}`);
    const { certificate, key } = this.tls.leaf({ names: [generalName.dns(serviceName)], keyUsage: [0] });
    writeFileSync(file('crt'), certificate.pem);
    writeFileSync(file('key'), encodePrivateKey(key), { mode: 0o600 });
    const tcp = { address: `${this.#host}:${port}`, tls_cert_file: file('crt'), tls_key_file: file('key') };
    writeFileSync(this.#cluster.file('ca.crt'), this.tls.certificate.pem);
    const config = {
      storage: { inmem: {} },
      listener: { tcp },
      api_addr: this.#address,
      disable_mlock: true,
    };
    writeFileSync(file('json'), JSON.stringify(config));
    return file('json');
  }

  /** It is no pod, so a slice written by hand says where it is. */
  async #makeService(): Promise<void> {
    const metadata = { namespace: 'vault', name: 'vault' };
    const ports = [{ name: 'https', port }];
    await this.#cluster.createNamespace(metadata.namespace);
    await this.#cluster.expect('/api/v1/namespaces/vault/services', {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } },
    });
    await this.#cluster.expect('/apis/discovery.k8s.io/v1/namespaces/vault/endpointslices', {
      method: 'POST',
      body: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [this.#host], conditions: { ready: true } }],
        ports,
      },
    });
  }
}

const oneShare = { secret_shares: 1, secret_threshold: 1 };
