import path from 'node:path';
import { Child } from '../../../src/cli/demo/child.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { environmentOf, parseManifests, renderText } from '../../helm/rendered-chart.ts';
import type { Rendered, Values } from '../../helm/rendered-chart.ts';
import { eventually } from '../../support/eventually.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TestCluster } from '../test-cluster.ts';
import { unusedPorts } from '../unused-ports.ts';

const source = path.join(import.meta.dirname, '..', '..', '..', 'src');
const audience = 'identity.l5d.io';

type ProcessName = 'identity' | 'destination';

export interface ReleaseOptions {
  readonly namespace?: string;
  readonly values?: Values;
  /** Of identity, in place of what the chart gives it: where a kubelet would have mounted something. */
  readonly identitySettings?: Readonly<Record<string, string>>;
}

/**
 * The chart in a cluster without nodes, and its processes beside it: with the settings and the ServiceAccounts of its
 * Deployments, but for where they listen and what a kubelet would mount.
 */
export class Release implements AsyncDisposable {
  readonly namespace: string;
  readonly objects: readonly Rendered[];
  readonly #cluster: TestCluster;
  readonly #files = new TemporaryDirectory();
  readonly #ports: ReadonlyMap<string, number>;
  readonly #identitySettings: Readonly<Record<string, string>>;
  readonly #running = new Map<ProcessName, Child>();

  /** Applies what the chart makes of its own values and those given, and its definitions, in a new namespace. */
  static async install(
    cluster: TestCluster,
    { namespace = 'kedge', values = {}, identitySettings = {} }: ReleaseOptions = {},
  ): Promise<Release> {
    const text = await renderText({ crds: { install: 'always' }, ...values }, namespace);
    await cluster.createNamespace(namespace);
    await cluster.kubectl(['apply', `--namespace=${namespace}`, '--filename=-'], { input: text });
    const names = ['identity', 'identity-admin', 'destination', 'policy', 'destination-admin'];
    const ports = await unusedPorts(names.length);
    const portOf = new Map(names.map((name, at) => [name, ports[at] ?? 0]));
    return new Release(cluster, namespace, parseManifests(text), portOf, identitySettings);
  }

  private constructor(
    cluster: TestCluster,
    namespace: string,
    objects: readonly Rendered[],
    ports: ReadonlyMap<string, number>,
    identitySettings: Readonly<Record<string, string>>,
  ) {
    this.#cluster = cluster;
    this.namespace = namespace;
    this.objects = objects;
    this.#ports = ports;
    this.#identitySettings = identitySettings;
  }

  /** Starts a process and waits until it says that it is ready. */
  async start(name: ProcessName): Promise<void> {
    const settings =
      name === 'identity'
        ? { KEDGE_IDENTITY_LISTEN_ADDR: this.#address('identity'), ...this.#identitySettings }
        : {
            KEDGE_DESTINATION_LISTEN_ADDR: this.#address('destination'),
            KEDGE_POLICY_LISTEN_ADDR: this.#address('policy'),
            KEDGE_IDENTITY_ADDR: this.#address('identity'),
            ...(await this.#mounted()),
          };
    const child = new Child({
      name,
      program: path.join(source, name, 'main.ts'),
      settings: {
        ...environmentOf(this.objects, `kedge-${name}`),
        KEDGE_KUBECONFIG: await this.#cluster.kubeconfigAs({
          namespace: this.namespace,
          name: `kedge-${name}`,
        }),
        KEDGE_ADMIN_LISTEN_ADDR: this.#address(`${name}-admin`),
        ...settings,
      },
      logFile: this.#files.file(`${name}.log`),
      adminPort: this.#ports.get(`${name}-admin`) ?? 0,
    });
    this.#running.set(name, child);
    await child.ready(systemClock, AbortSignal.timeout(60_000));
  }

  /** Ends a process in order. */
  async stop(name: ProcessName): Promise<void> {
    await this.#running.get(name)?.stop();
    this.#running.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((child) => child.kill()));
    this.#files[Symbol.dispose]();
  }

  #address(name: string): string {
    return `127.0.0.1:${this.#ports.get(name) ?? 0}`;
  }

  /** The files of destination's volumes; waits for the trust bundle, as its pod does. */
  async #mounted(): Promise<Record<string, string>> {
    const place = `/api/v1/namespaces/${this.namespace}/configmaps/kedge-trust-bundle`;
    const bundle = await eventually(async () => {
      const { data } = await this.#cluster.expect<{ readonly data?: Readonly<Record<string, string>> }>(
        place,
      );
      const text = data?.['ca-bundle.crt'];
      if (text === undefined) throw new Error('expected the trust bundle to be made');
      return text;
    });
    const account = { namespace: this.namespace, name: 'kedge-destination' };
    const token = await this.#cluster.token(account, { audience });
    this.#files.write({ 'ca-bundle.crt': bundle, token });
    return {
      KEDGE_TRUST_ANCHORS_FILE: this.#files.file('ca-bundle.crt'),
      KEDGE_TOKEN_FILE: this.#files.file('token'),
    };
  }
}
