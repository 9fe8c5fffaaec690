import { spawn } from 'node:child_process';
import { cacheDirectory } from './binaries/cache-directory.ts';
import { kubernetesProgram } from './binaries/kubernetes.ts';
import { kubeconfigName } from './authority.ts';
import { helm, programOf } from './node/go-programs.ts';
import { isRunning, thisProcess } from './process-record.ts';
import type { ProcessRecord } from './process-record.ts';
import { startCluster } from './start-cluster.ts';
import type { ClusterWish } from './start-cluster.ts';
import { StateDirectory } from './state-directory.ts';
import { stopCluster } from './stop-cluster.ts';

const wholeFile = 'cluster.json';
const starterFile = 'starter';

/** The one cluster of `npm run cluster`, which runs on after the command that started it. */
export class StandingCluster {
  readonly #state = StateDirectory.at(cacheDirectory('cluster'));

  /** What was started, once it was whole; undefined where there is none, or only what a crash has left of one. */
  get wish(): ClusterWish | undefined {
    return this.#state.readJson(wholeFile) as ClusterWish | undefined;
  }

  /** Every component, and whether its process is there. */
  get components(): (readonly [name: string, running: boolean])[] {
    const running = new Set(this.#state.running);
    return this.#state.components.toSorted().map((name) => [name, running.has(name)]);
  }

  /** Whether all of it is there and its processes run. */
  get stands(): boolean {
    return this.wish !== undefined && this.components.every(([, running]) => running);
  }

  get kubeconfig(): string {
    return this.#state.file(kubeconfigName('admin'));
  }

  get state(): StateDirectory {
    return this.#state;
  }

  /** Removes what a crash has left and starts a new one; whoever interrupts it finds nothing of it. */
  async start(wish: ClusterWish, signal: AbortSignal, say: (line: string) => void): Promise<void> {
    const starter = this.#state.readJson(starterFile) as ProcessRecord | undefined;
    if (starter && isRunning(starter))
      throw new Error(`process ${starter.pid} is starting it at this moment`);
    if (this.components.length > 0) say('removing what is left of a cluster that did not end in order');
    await stopCluster(this.#state);
    this.#state.create();
    this.#state.writeJson(thisProcess(), starterFile);
    try {
      const interrupted = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => interrupted.reject(new Error('interrupted')));
      const plane = await Promise.race([startCluster(wish, this.#state, { say }), interrupted.promise]);
      plane.api[Symbol.dispose]();
      this.#state.writeJson(wish, wholeFile);
    } catch (error) {
      await stopCluster(this.#state);
      throw error;
    }
  }

  stop(): Promise<void> {
    return stopCluster(this.#state);
  }

  /** Runs a program on this terminal as the admin; gives its exit code. */
  run(name: 'kubectl' | 'helm', args: readonly string[]): Promise<number> {
    const program = name === 'helm' ? programOf(helm) : kubernetesProgram(this.wish?.version ?? '', name);
    const env = { ...process.env, KUBECONFIG: this.kubeconfig };
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: 'inherit', env });
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
  }
}
