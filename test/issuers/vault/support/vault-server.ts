import { writeFileSync } from 'node:fs';
import { encodePrivateKey } from '../../../../src/pki/keys.ts';
import { Guard } from '../../../cluster/guard.ts';
import { createOwnedState, removeOrphans } from '../../../cluster/owned-state.ts';
import type { StateDirectory } from '../../../cluster/state-directory.ts';
import { unusedPorts } from '../../../cluster/unused-ports.ts';
import { noteSecret } from '../../../secrets/run-record.ts';
import { generalName } from '../../../support/certificate-builder.ts';
import { eventually } from '../../../support/eventually.ts';
import { TestCa } from '../../../support/test-ca.ts';
import type { VaultCallOptions } from './vault-call.ts';
import { VaultNode } from './vault-node.ts';
import type { VaultProgram } from './vault-programs.ts';

/** What sets a server up. */
export type VaultAdmin = Pick<VaultServer, 'expect'>;

interface Running {
  readonly state: StateDirectory;
  readonly guard: Guard;
  readonly nodes: readonly VaultNode[];
  readonly rootToken: string;
  readonly unsealKey: string;
}

interface RaftConfiguration {
  readonly data: { readonly config: { readonly servers: readonly { readonly voter: boolean }[] } };
}

/**
 * A Vault or OpenBao for the tests of one file, not in development mode: TLS, storage on disk, an unseal key; one server, or
 * two that elect a leader. It is on free ports of 127.0.0.1 and ends with `end`, or with this process.
 */
export class VaultServer {
  /** What the servers' certificate is signed by; it is for 127.0.0.1 and localhost. */
  readonly tls = TestCa.create({ commonName: 'tls of vault' });
  readonly #program: VaultProgram;
  readonly #nodeCount: number;
  #running: Running | undefined;

  constructor(program: VaultProgram, nodeCount = 1) {
    this.#program = program;
    this.#nodeCount = nodeCount;
  }

  async start(): Promise<void> {
    await removeOrphans();
    const state = createOwnedState();
    const guard = new Guard(state);
    this.#writeTls(state);
    const ports = await unusedPorts(2 * this.#nodeCount);
    const nodes = Array.from({ length: this.#nodeCount }, (_, at) => {
      const [port = 0, clusterPort = 0] = ports.slice(2 * at);
      const { path: program } = this.#program;
      return new VaultNode({ name: `node-${at}`, program, port, clusterPort, state, ca: this.ca });
    });
    this.#running = { state, guard, nodes, rootToken: '', unsealKey: '' };
    const [first, ...others] = nodes;
    if (first === undefined) throw new TypeError('expected at least one node');
    await first.start();
    const init = { secret_shares: 1, secret_threshold: 1 };
    const { body } = await first.call('sys/init', { method: 'PUT', body: init });
    const { keys, root_token: rootToken } = body as { keys: string[]; root_token: string };
    this.#running = { ...this.#running, rootToken, unsealKey: keys[0] ?? '' };
    noteSecret('a root token of Vault', rootToken);
    noteSecret('an unseal key of Vault', this.#running.unsealKey);
    await this.unseal();
    for (const node of others) await this.#join(node, first);
  }

  async end(): Promise<void> {
    await this.#running?.state.remove();
    this.#running?.guard.leave();
    this.#running = undefined;
  }

  /** What the server is, for people. */
  get title(): string {
    return this.#program.title;
  }

  /** Its file, which is the command line of an administrator as well. */
  get program(): string {
    return this.#program.path;
  }

  get address(): string {
    return this.node(0).address;
  }

  get ca(): string {
    return this.tls.certificate.pem;
  }

  get caFile(): string {
    return this.#present.state.file('ca.crt');
  }

  get rootToken(): string {
    return this.#present.rootToken;
  }

  node(at: number): VaultNode {
    const node = this.#present.nodes[at];
    if (node === undefined) throw new TypeError(`expected a node ${at}`);
    return node;
  }

  /** The body of a 2xx answer, as the root unless told; rejects with the server's message otherwise. */
  async expect<T = Readonly<Record<string, unknown>>>(
    path: string,
    options: VaultCallOptions = {},
  ): Promise<T> {
    const { status, body } = await this.node(0).call(path, { token: this.rootToken, ...options });
    if (status < 300) return body as T;
    throw new Error(`expected ${path} to succeed, got ${status} ${JSON.stringify(body)}`);
  }

  async seal(): Promise<void> {
    await this.expect('sys/seal', { method: 'PUT' });
  }

  /** Has the second of two servers take the lead, once it has a vote. */
  async changeLeader(): Promise<void> {
    await eventually(async () => {
      const { status } = await this.node(1).call('sys/health');
      if (status === 200) return;
      const { data } = await this.expect<RaftConfiguration>('sys/storage/raft/configuration');
      const voters = data.config.servers.filter(({ voter }) => voter);
      if (voters.length === this.#nodeCount) await this.expect('sys/step-down', { method: 'PUT' });
      throw new Error(`status ${status}, ${voters.length} with a vote`);
    });
  }

  /** Unseals the first server, and waits until it answers as the active one, or as a standby where there are more. */
  async unseal(at = 0): Promise<void> {
    const node = this.node(at);
    await node.unseal(this.#present.unsealKey);
    await eventually(async () => {
      const { status } = await node.call('sys/health');
      if (status !== 200 && (status !== 429 || this.#nodeCount === 1)) throw new Error(`status ${status}`);
    });
  }

  /** Starts a server that was stopped, on the same port with the same data, and unseals it. */
  async restart(at = 0): Promise<void> {
    await this.node(at).start();
    await this.unseal(at);
  }

  async #join(node: VaultNode, leader: VaultNode): Promise<void> {
    await node.start();
    const body = { leader_api_addr: leader.address, leader_ca_cert: this.ca };
    await node.call('sys/storage/raft/join', { body });
    await eventually(() => this.unseal(this.#present.nodes.indexOf(node)));
  }

  #writeTls(state: StateDirectory): void {
    const names = [generalName.dns('localhost'), generalName.ip(127, 0, 0, 1)];
    const { certificate, key } = this.tls.leaf({ names, commonName: 'vault', keyUsage: [0] });
    writeFileSync(state.file('tls.crt'), certificate.pem);
    writeFileSync(state.file('tls.key'), encodePrivateKey(key), { mode: 0o600 });
    writeFileSync(state.file('ca.crt'), this.ca);
  }

  get #present(): Running {
    if (this.#running === undefined) throw new TypeError('expected a server that was started');
    return this.#running;
  }
}
