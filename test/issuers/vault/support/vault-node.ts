import { mkdirSync, writeFileSync } from 'node:fs';
import { Component } from '../../../cluster/component.ts';
import { loopback } from '../../../cluster/place.ts';
import type { StateDirectory } from '../../../cluster/state-directory.ts';
import { callVault, type VaultCallOptions, type VaultReply } from './vault-call.ts';

export interface VaultNodeOptions {
  readonly name: string;
  readonly program: string;
  readonly port: number;
  readonly clusterPort: number;
  readonly state: StateDirectory;
  /** PEM of the CA that the server's certificate is verified by. */
  readonly ca: string;
}

/** One server with TLS and its own storage; the files `tls.crt` and `tls.key` are in the state directory already. */
export class VaultNode {
  readonly #options: VaultNodeOptions;
  #component: Component | undefined;

  constructor(options: VaultNodeOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get address(): string {
    return `https://127.0.0.1:${this.#options.port}`;
  }

  /** Starts it, and waits until it answers; it is sealed then. */
  async start(): Promise<void> {
    const { name, program, state } = this.#options;
    const file = this.#writeConfig();
    const component = Component.start(
      { name, words: [program, 'server', `-config=${file}`] },
      loopback,
      state,
    );
    this.#component = component;
    await component.ready(() => this.call('sys/health'));
  }

  /** Ends it in order; its data stays. */
  async stop(): Promise<void> {
    await this.#component?.stop(10_000);
  }

  /** Ends it at once, as a crash would; its data stays. */
  async kill(): Promise<void> {
    await this.#component?.kill();
  }

  call(path: string, options: VaultCallOptions = {}): Promise<VaultReply> {
    return callVault(`${this.address}/v1/${path}`, options, { ca: this.#options.ca });
  }

  async unseal(key: string): Promise<void> {
    await this.call('sys/unseal', { body: { key } });
  }

  #writeConfig(): string {
    const { name, port, clusterPort, state } = this.#options;
    const data = state.file(`${name}-data`);
    mkdirSync(data, { recursive: true });
    const file = state.file(`${name}.json`);
    const tcp = {
      address: `127.0.0.1:${port}`,
      cluster_address: `127.0.0.1:${clusterPort}`,
      tls_cert_file: state.file('tls.crt'),
      tls_key_file: state.file('tls.key'),
    };
    const config = {
      storage: { raft: { path: data, node_id: name, performance_multiplier: 1 } },
      listener: { tcp },
      api_addr: this.address,
      cluster_addr: `https://127.0.0.1:${clusterPort}`,
      disable_mlock: true,
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }
}
