import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MeshDomain } from '../../pki/workload-identity.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import { freePorts } from './free-ports.ts';
import { TokenIssuer } from './token-issuer.ts';

/** Ports of the two services, which every world has. */
const controlPorts = ['identity', 'identityAdmin', 'destination', 'policy', 'destinationAdmin'] as const;
export type ControlPort = (typeof controlPorts)[number];

/** The address from which peers have to seem to come: 127.0.0.1 itself passes every policy (contract 5.2). */
export const peerAddress = '127.0.0.2';

export interface WorldOptions<Port extends string> {
  /** How the name of its directory begins. */
  prefix: string;
  /** Names of the ports that it needs besides those of the two services; each gets a free one. */
  ports: readonly Port[];
  /** ServiceAccounts of the namespace `shop` that get tokens. */
  workloads: readonly string[];
}

/** What the processes of a mesh on this machine share: a directory, ports, names, tokens. */
export class World<Port extends string = never> {
  readonly directory: string;
  readonly ports: Readonly<Record<ControlPort | Port, number>>;
  readonly domain = new MeshDomain('kedge', 'cluster.local');
  readonly tokens = new TokenIssuer();
  readonly #tokenHolders: readonly string[];

  private constructor(
    directory: string,
    ports: Record<ControlPort | Port, number>,
    workloads: readonly string[],
  ) {
    this.directory = directory;
    this.ports = ports;
    this.#tokenHolders = ['destination', ...workloads];
  }

  /** Makes the directory, with whose tokens the identity service is to believe and a first token of each. */
  static async create<Port extends string>({
    prefix,
    ports,
    workloads,
  }: WorldOptions<Port>): Promise<World<Port>> {
    const names = [...controlPorts, ...ports];
    const free = await freePorts(names.length);
    const numbers = Object.fromEntries(names.map((name, at) => [name, free[at] ?? 0]));
    const directory = mkdtempSync(path.join(tmpdir(), prefix));
    chmodSync(directory, 0o700);
    const world = new World(directory, numbers as Record<ControlPort | Port, number>, workloads);
    for (const folder of ['logs', 'tokens', 'issuer']) mkdirSync(world.path(folder));
    world.#writeTokenRules();
    world.writeTokens(new Date());
    return world;
  }

  path(...parts: string[]): string {
    return path.join(this.directory, ...parts);
  }

  get anchorsFile(): string {
    return this.path('ca', 'ca-bundle.crt');
  }

  get anchors(): string {
    return readFileSync(this.anchorsFile, 'utf8');
  }

  identityOf(name: string): WorkloadIdentity {
    return name === 'identity' || name === 'destination'
      ? this.domain.identity('kedge', `kedge-${name}`)
      : this.domain.identity('shop', name);
  }

  /** The subject that the token issuer gives a workload. */
  subjectOf(name: string): string {
    return `workload:${name}`;
  }

  /** Exchanges the map of the mesh that destination reads (docs/destination-file.md). */
  writeDestination(yaml: string): void {
    this.#write('destination.yaml', yaml);
  }

  /** Puts a fresh token where each workload reads it, as a kubelet does before the old one ends; each is good for 600 s. */
  writeTokens(now: Date): void {
    for (const name of this.#tokenHolders) {
      const claims = { subject: this.subjectOf(name), audience: 'identity.l5d.io', validForSeconds: 600 };
      this.#write(path.join('tokens', name), this.tokens.issue(claims, now), 0o600);
    }
  }

  /** Swaps what the identity service reads as its issuer, all files at once, as a kubelet does with a mounted Secret. */
  useIssuer(directory: string): void {
    const next = this.path('issuer', '..next');
    rmSync(next, { force: true });
    symlinkSync(directory, next);
    renameSync(next, this.path('issuer', '..data'));
    for (const file of ['tls.crt', 'tls.key', 'ca.crt']) {
      const link = this.path('issuer', file);
      if (!existsSync(link)) symlinkSync(path.join('..data', file), link);
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #writeTokenRules(): void {
    this.#write('jwks.json', this.tokens.jwks);
    const subjects = this.#tokenHolders.map((name) => {
      const { namespace, serviceAccount } = this.identityOf(name);
      return [this.subjectOf(name), `${namespace}/${serviceAccount}`];
    });
    this.#write('subjects.json', JSON.stringify(Object.fromEntries(subjects), null, 2));
  }

  #write(name: string, content: string, mode = 0o644): void {
    const file = this.path(name);
    writeFileSync(`${file}.next`, content, { mode });
    renameSync(`${file}.next`, file);
  }
}
