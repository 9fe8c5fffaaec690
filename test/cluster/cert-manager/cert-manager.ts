import { writeFileSync } from 'node:fs';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import { generalName } from '../../support/certificate-builder.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { Command, Component } from '../component.ts';
import type { TestCluster } from '../test-cluster.ts';
import { unusedPorts } from '../unused-ports.ts';
import { certManagerDefinitions, certManagerProgram } from './cert-manager-build.ts';
import { webhookConfigurations } from './webhook-configurations.ts';
import { definitionsKnown } from '../definitions-known.ts';

export interface CertManagerOptions {
  /** `false`: nobody approves requests unless a test does. */
  readonly autoApproval?: boolean;
  /** Calls a second that the controller makes; 20 unless told, as cert-manager has it. */
  readonly callsPerSecond?: number;
}

/** Where a `ClusterIssuer` has its Secrets. */
export const resourceNamespace = 'cert-manager';

/** The programs are asked to end, and killed after this. */
const endWithinMs = 5_000;

/** A real cert-manager beside a test cluster's API server: its controller and its webhook, each a process. It ends with the cluster. */
export class CertManager {
  readonly #cluster: TestCluster;
  readonly #commands: { readonly controller: Command; readonly webhook: Command };
  readonly #checks: { readonly controller: string; readonly webhook: string };
  #running: { controller?: Component; webhook?: Component } = {};

  private constructor(
    cluster: TestCluster,
    ports: readonly number[],
    { autoApproval = true, callsPerSecond = 20 }: CertManagerOptions,
  ) {
    const [metrics = 0, webhook = 0, health = 0] = ports;
    const host = hostOf(cluster);
    const kubeconfig = `--kubeconfig=${cluster.kubeconfig}`;
    this.#cluster = cluster;
    this.#checks = {
      controller: `http://${host}:${metrics}/metrics`,
      webhook: `http://${host}:${health}/healthz`,
    };
    this.#commands = {
      controller: {
        name: 'cert-manager-controller',
        words: [
          ...[certManagerProgram('controller'), kubeconfig, '--leader-elect=false'],
          `--cluster-resource-namespace=${resourceNamespace}`,
          `--metrics-listen-address=${host}:${metrics}`,
          `--controllers=*${autoApproval ? '' : ',-certificaterequests-approver'}`,
          ...[`--kube-api-qps=${callsPerSecond}`, `--kube-api-burst=${callsPerSecond * 2.5}`],
        ],
      },
      webhook: {
        name: 'cert-manager-webhook',
        words: [
          ...[certManagerProgram('webhook'), kubeconfig],
          ...[`--secure-port=${webhook}`, `--healthz-port=${health}`],
          `--tls-cert-file=${cluster.file('webhook.crt')}`,
          `--tls-private-key-file=${cluster.file('webhook.key')}`,
        ],
      },
    };
  }

  /** Installs the kinds and the webhook, starts both programs, and resolves when they work. */
  static async start(cluster: TestCluster, options: CertManagerOptions = {}): Promise<CertManager> {
    const ports = await unusedPorts(3);
    const own = new CertManager(cluster, ports, options);
    const ca = makeServingFiles(cluster);
    await cluster.kubectl(['create', '-f', '-'], { input: certManagerDefinitions() });
    await definitionsKnown(cluster);
    await cluster.createNamespace(resourceNamespace);
    await own.startWebhook();
    const url = `https://${hostOf(cluster)}:${ports[1] ?? 0}`;
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: webhookConfigurations(url, ca) });
    await cluster.kubectl(['apply', '-f', '-'], { input });
    await own.startController();
    return own;
  }

  /** Resolves when it works; does nothing where it runs. */
  startController(): Promise<void> {
    return this.#start('controller');
  }

  startWebhook(): Promise<void> {
    return this.#start('webhook');
  }

  /** Ends the controller in order. */
  async stopController(): Promise<void> {
    await this.#running.controller?.stop(endWithinMs);
  }

  /** Ends it at once, as a crash would. */
  async killController(): Promise<void> {
    await this.#running.controller?.kill();
  }

  /** Ends the webhook at once: the API server takes no object of cert-manager any more. */
  async killWebhook(): Promise<void> {
    await this.#running.webhook?.kill();
  }

  async #start(name: 'controller' | 'webhook'): Promise<void> {
    if (this.#running[name]?.running === true) return;
    const component = this.#cluster.startBeside(this.#commands[name]);
    this.#running[name] = component;
    await component.ready(async () => {
      const { ok, status } = await fetch(this.#checks[name]);
      if (!ok) throw new Error(`expected ${name} to be well, it answered ${status}`);
    });
  }
}

/** Where a process beside the API server is reached: at the address of the API server, in the network of the cluster. */
function hostOf(cluster: TestCluster): string {
  return new URL(cluster.server).hostname;
}

/** Gives the CA, as PEM, that the webhook's certificate is verified by. */
function makeServingFiles(cluster: TestCluster): string {
  const notAfter = new Date(Date.now() + 24 * 3_600_000);
  const ca = TestCa.create({ commonName: 'webhook', notAfter });
  const names = [generalName.ip(...hostOf(cluster).split('.').map(Number))];
  const { certificate, key } = ca.leaf({ notAfter, names });
  writeFileSync(cluster.file('webhook.crt'), certificate.pem);
  writeFileSync(cluster.file('webhook.key'), encodePrivateKey(key), { mode: 0o600 });
  return ca.certificate.pem;
}
