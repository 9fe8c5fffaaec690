import { readFileSync } from 'node:fs';
import { ApiCaller } from './api-caller.ts';
import { createAuthority, kubeconfigName, pkiFiles } from './authority.ts';
import type { ClusterUser } from './authority.ts';
import { kubernetesProgram } from './binaries/kubernetes.ts';
import type { KubernetesProgram } from './binaries/kubernetes.ts';
import { Component } from './component.ts';
import type { Command } from './component.ts';
import { apiServerCommand, controllerManagerCommand, etcdCommand } from './control-plane-commands.ts';
import type { ControlPlaneSpec } from './control-plane-commands.ts';
import { run } from './node/run.ts';
import type { StateDirectory } from './state-directory.ts';

/** An API server that is asked to end closes its ports at once, and then waits a minute for the watches of its clients. */
const endWithinMs = 2000;

/** A running etcd, API server and controller manager. */
export class ControlPlane {
  readonly spec: ControlPlaneSpec;
  readonly state: StateDirectory;
  readonly api: ApiCaller;
  readonly #etcd: Component;
  #apiServer: Component;

  private constructor(spec: ControlPlaneSpec, state: StateDirectory) {
    this.spec = spec;
    this.state = state;
    createAuthority(state, spec.place.address, this.server);
    this.api = new ApiCaller({ server: this.server, ca: this.ca, token: tokenOf(this.kubeconfig('admin')) });
    this.#etcd = this.start(etcdCommand(spec, state));
    this.#apiServer = this.start(apiServerCommand(spec, state));
  }

  /** Starts a new cluster in a state directory that was just made; `say` hears what is ready. */
  static async create(
    spec: ControlPlaneSpec,
    state: StateDirectory,
    say: (line: string) => void = () => undefined,
  ): Promise<ControlPlane> {
    const plane = new ControlPlane(spec, state);
    await plane.#apiServerReady();
    say(`API server ${spec.version} at ${plane.server}`);
    const controllers = plane.start(controllerManagerCommand(spec, state));
    // Without it no pod is let in.
    await controllers.ready(() => plane.api.expect('/api/v1/namespaces/default/serviceaccounts/default'));
    say('controller manager');
    return plane;
  }

  get server(): string {
    return `https://${this.spec.place.address}:${this.spec.ports.api}`;
  }

  /** The certificate that the API server is verified by, as PEM. */
  get ca(): string {
    return readFileSync(this.caFile, 'utf8');
  }

  get caFile(): string {
    return this.state.file('pki', pkiFiles.ca);
  }

  /** The kubeconfig file of one of the cluster's own users. */
  kubeconfig(user: ClusterUser): string {
    return this.state.file(kubeconfigName(user));
  }

  /** Where a program of this cluster's Kubernetes is. */
  program(name: KubernetesProgram): string {
    return kubernetesProgram(this.spec.version, name);
  }

  /** Starts a further process in the cluster's network; it belongs to the cluster from then on. */
  start(command: Command): Component {
    return Component.start(command, this.spec.place, this.state);
  }

  /** Runs kubectl as the admin and gives what it printed; rejects with what it said. */
  kubectl(args: readonly string[], { input }: { readonly input?: string } = {}): Promise<string> {
    const words = [this.program('kubectl'), `--kubeconfig=${this.kubeconfig('admin')}`, ...args];
    return run(words, input === undefined ? {} : { input });
  }

  /** Ends the API server, in order (as far as it is within seconds) or at once as a crash would. */
  async stopApiServer(how: 'stop' | 'kill'): Promise<void> {
    if (how === 'stop') await this.#apiServer.stop(endWithinMs);
    else await this.#apiServer.kill();
  }

  /** Starts it again on the same port with the same data, and waits until it is ready; kills it first where it runs. */
  async startApiServer(): Promise<void> {
    await this.#apiServer.kill();
    this.#apiServer = this.start(apiServerCommand(this.spec, this.state));
    await this.#apiServerReady();
  }

  #apiServerReady(): Promise<void> {
    return this.#apiServer.ready(() => this.api.expect('/readyz'), [this.#etcd]);
  }
}

function tokenOf(kubeconfig: string): string {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly users: readonly { readonly user: { readonly token: string } }[];
  };
  return config.users[0]?.user.token ?? '';
}
