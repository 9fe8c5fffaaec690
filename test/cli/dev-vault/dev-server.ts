import { Component } from '../../cluster/component.ts';
import { Guard } from '../../cluster/guard.ts';
import { createOwnedState, removeOrphans } from '../../cluster/owned-state.ts';
import { loopback } from '../../cluster/place.ts';
import type { StateDirectory } from '../../cluster/state-directory.ts';
import { unusedPorts } from '../../cluster/unused-ports.ts';

/** A server in development mode, as `vault server -dev` starts it; its root token is where it writes it by itself. */
export class DevServer implements AsyncDisposable {
  readonly address: string;
  readonly #state: StateDirectory;
  readonly #guard: Guard;

  private constructor(address: string, state: StateDirectory, guard: Guard) {
    this.address = address;
    this.#state = state;
    this.#guard = guard;
  }

  static async start(program: string): Promise<DevServer> {
    await removeOrphans();
    const state = createOwnedState();
    const guard = new Guard(state);
    const [port = 0] = await unusedPorts(1);
    const address = `http://127.0.0.1:${port}`;
    const listen = `-dev-listen-address=127.0.0.1:${port}`;
    const command = {
      name: 'dev-server',
      words: [program, 'server', '-dev', listen],
      env: { HOME: state.path },
    };
    await Component.start(command, loopback, state).ready(async () => {
      const { status } = await fetch(`${address}/v1/sys/health`);
      if (status !== 200) throw new Error(`status ${status}`);
    });
    return new DevServer(address, state, guard);
  }

  get tokenFile(): string {
    return this.#state.file('.vault-token');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#state.remove();
    this.#guard.leave();
  }
}
