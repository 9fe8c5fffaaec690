import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectKube } from '../../src/kube/connect-kube.ts';
import type { ConnectKubeOptions } from '../../src/kube/connect-kube.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import type { ApiAnswer, ApiCall } from './api-caller.ts';
import { requestToken } from './api-tokens.ts';
import type { ServiceAccountName, TokenWish } from './api-tokens.ts';
import { readAuditEvents } from './audit-event.ts';
import type { AuditEvent } from './audit-event.ts';
import { writeKubeconfig } from './authority.ts';
import { chosenVersion } from './binaries/versions.ts';
import { compactEtcd } from './compact-etcd.ts';
import type { Command, Component } from './component.ts';
import { auditLogFile } from './control-plane-commands.ts';
import type { ControlPlane } from './control-plane.ts';
import { Guard } from './guard.ts';
import { helm, programOf } from './node/go-programs.ts';
import { loadImage } from './node/load-image.ts';
import { run } from './node/run.ts';
import { startCluster } from './start-cluster.ts';
import type { StateDirectory } from './state-directory.ts';
import { stopCluster } from './stop-cluster.ts';
import { createOwnedState, removeOrphans } from './owned-state.ts';

export interface TestClusterOptions {
  /** With a node, in a network of its own; root is needed. */
  readonly node?: boolean;
  /** Further arguments of kube-apiserver. */
  readonly apiServerArgs?: readonly string[];
}

/** Another process may have taken a port between the look for it and the start. */
const attempts = 3;

/**
 * A Kubernetes for the tests of one file: etcd, API server and controller manager on free ports of 127.0.0.1, or with a node,
 * in a network of its own.
 */
export class TestCluster {
  readonly version = chosenVersion();
  readonly #options: TestClusterOptions;
  #running:
    { readonly plane: ControlPlane; readonly state: StateDirectory; readonly guard: Guard } | undefined;

  constructor(options: TestClusterOptions = {}) {
    this.#options = options;
  }

  /** Starts it, and ends clusters that a crash has left behind. */
  async start(): Promise<void> {
    await removeOrphans();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#start();
        return;
      } catch (error) {
        if (attempt === attempts || !/address already in use/.test(String(error))) throw error;
      }
    }
  }

  /** Ends it at once and removes everything of it. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.plane.api[Symbol.dispose]();
    if (running) await stopCluster(running.state);
    running?.guard.leave();
  }

  /** `https://ADDRESS:PORT`, the same as long as the cluster lives. */
  get server(): string {
    return this.#plane.server;
  }

  /** What the API server's certificate is verified by, as PEM. */
  get ca(): string {
    return this.#plane.ca;
  }

  /** The file of the admin's access. */
  get kubeconfig(): string {
    return this.#plane.kubeconfig('admin');
  }

  /** A new file of a ServiceAccount's access, with a token of an hour; to `server` where something stands between. */
  async kubeconfigAs(account: ServiceAccountName, server = this.server): Promise<string> {
    const file = this.#state.file(`${randomUUID()}.kubeconfig`);
    writeKubeconfig(file, { server, ca: this.ca, token: await this.token(account) });
    return file;
  }

  /** Kedge's own client, as the admin unless `kubeconfig` is another's. */
  client({
    kubeconfig = this.kubeconfig,
    ...options
  }: Partial<ConnectKubeOptions> & { readonly kubeconfig?: string } = {}): ReturnType<typeof connectKube> {
    return connectKube(
      { kubeconfig, kubeServiceHost: undefined, kubeServicePort: 443 },
      { name: 'kedge-test', log: new LogCapture(), clock: systemClock, metrics: new Metrics(), ...options },
    );
  }

  /** Kedge's own client as a ServiceAccount. */
  async clientAs(
    account: ServiceAccountName,
    options: Partial<ConnectKubeOptions> = {},
  ): ReturnType<typeof connectKube> {
    return this.client({ ...options, kubeconfig: await this.kubeconfigAs(account) });
  }

  /** Any request, as the admin unless told; it shares no code with Kedge's client. */
  call(path: string, call?: ApiCall): Promise<ApiAnswer> {
    return this.#plane.api.call(path, call);
  }

  /** The body of a 2xx answer; rejects with the server's message otherwise. */
  expect<T>(path: string, call?: ApiCall): Promise<T> {
    return this.#plane.api.expect(path, call);
  }

  /** What kubectl printed; rejects with what it said when it failed. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<string> {
    return this.#plane.kubectl(args, options);
  }

  /** What helm printed; rejects with what it said when it failed. */
  helm(args: readonly string[]): Promise<string> {
    return run([programOf(helm), ...args], { env: { KUBECONFIG: this.kubeconfig } });
  }

  /** Starts a further process in the cluster's network; it ends with the cluster, whatever becomes of this process. */
  startBeside(command: Command): Component {
    return this.#plane.start(command);
  }

  /** A path in the cluster's directory, which goes with it. */
  file(name: string): string {
    return this.#state.file(name);
  }

  /** Makes an image known to the node: that of an archive, or for `kedge` Kedge's own, built anew. */
  loadImage(archiveOrName: string): Promise<void> {
    return loadImage(this.#state, archiveOrName);
  }

  /** A new namespace whose default ServiceAccount is there, so that pods are let in. */
  async createNamespace(name: string): Promise<string> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.expect('/api/v1/namespaces', { method: 'POST', body });
    await eventually(() => this.expect(`/api/v1/namespaces/${name}/serviceaccounts/default`));
    return name;
  }

  token(account: ServiceAccountName, wish: TokenWish = {}): Promise<string> {
    return requestToken(this.#plane.api, account, wish);
  }

  /** Ends the API server in order. Its data stays; so do etcd and the controller manager. */
  stop(): Promise<void> {
    return this.#plane.stopApiServer('stop');
  }

  /** Ends the API server at once, as a crash would. */
  kill(): Promise<void> {
    return this.#plane.stopApiServer('kill');
  }

  /** Starts the API server again on the same port with the same data; kills it first where it runs. */
  restart(): Promise<void> {
    return this.#plane.startApiServer();
  }

  /**
   * Makes etcd forget every revision but the newest. An API server still knows those that it has seen since its start, unless
   * it was started with `--watch-cache=false`; after `restart` a watch from before is told 410 either way.
   */
  compact(): Promise<void> {
    return compactEtcd(this.#plane.spec.ports.etcd);
  }

  /** Every request so far that the API server has written down, oldest first; it writes one when it has answered. */
  auditLog(): AuditEvent[] {
    return readAuditEvents(readFileSync(auditLogFile(this.#state), 'utf8'));
  }

  async #start(): Promise<void> {
    const state = createOwnedState();
    const guard = new Guard(state);
    try {
      const { node = false, ...options } = this.#options;
      const plane = await startCluster({ version: this.version, node }, state, options);
      this.#running = { plane, state, guard };
    } catch (error) {
      await stopCluster(state);
      guard.leave();
      throw error;
    }
  }

  get #plane(): ControlPlane {
    if (this.#running === undefined) throw new TypeError('expected a cluster that was started');
    return this.#running.plane;
  }

  get #state(): StateDirectory {
    return this.#plane.state;
  }
}
