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

/** Names of the ports that the demo uses; each gets a free one. */
const portNames = [
  'identity',
  'identityAdmin',
  'destination',
  'policy',
  'destinationAdmin',
  'apiApp',
  'apiInbound',
  'apiForward',
  'apiOutbound',
  'apiAdmin',
  'webToApi',
  'webToBilling',
  'webInbound',
  'webOutbound',
  'webAdmin',
  'guestToApi',
  'guestInbound',
  'guestOutbound',
  'guestAdmin',
  'wire',
  'impostor',
] as const;
export type PortName = (typeof portNames)[number];

/** How long a certificate of the demo lives, so that its renewal can be watched. */
export const certificateSeconds = 20;

/** What the demo's processes share: a directory, ports, names, tokens. */
export class World {
  readonly directory: string;
  readonly ports: Readonly<Record<PortName, number>>;
  readonly domain = new MeshDomain('kedge', 'cluster.local');
  readonly tokens = new TokenIssuer();
  /** The address from which peers seem to come: 127.0.0.1 itself passes every policy (contract 5.2). */
  readonly peerAddress = '127.0.0.2';
  /** Where billing is said to be: on a machine of its own. */
  readonly impostorAddress = '127.0.0.3';

  private constructor(directory: string, ports: Record<PortName, number>) {
    this.directory = directory;
    this.ports = ports;
  }

  static async create(): Promise<World> {
    const free = await freePorts(portNames.length);
    const ports = Object.fromEntries(portNames.map((name, at) => [name, free[at] ?? 0]));
    const world = new World(
      mkdtempSync(path.join(tmpdir(), 'kedge-demo-')),
      ports as Record<PortName, number>,
    );
    chmodSync(world.directory, 0o700);
    for (const folder of ['logs', 'tokens', 'issuer']) mkdirSync(world.path(folder));
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

  /** The subject that the demo's token issuer gives a workload. */
  subjectOf(name: string): string {
    return `workload:${name}`;
  }

  /** Writes everything that the processes read, the issuer apart. */
  writeFiles(): void {
    this.#write('jwks.json', this.tokens.jwks);
    const subjects = ['destination', 'web', 'api', 'guest'].map((name) => {
      const { namespace, serviceAccount } = this.identityOf(name);
      return [this.subjectOf(name), `${namespace}/${serviceAccount}`];
    });
    this.#write('subjects.json', JSON.stringify(Object.fromEntries(subjects), null, 2));
    this.#write('destination.yaml', this.#destination());
  }

  /** Puts a fresh token where a workload reads it, as a kubelet does before the old one ends. */
  writeToken(name: string, now: Date): void {
    const token = this.tokens.issue(
      { subject: this.subjectOf(name), audience: 'identity.l5d.io', validForSeconds: 600 },
      now,
    );
    this.#write(path.join('tokens', name), token, 0o600);
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

  #write(name: string, content: string, mode = 0o644): void {
    const file = this.path(name);
    writeFileSync(`${file}.next`, content, { mode });
    renameSync(`${file}.next`, file);
  }

  /** The map of the mesh; clients reach the api through the wire that the demo listens on. */
  #destination(): string {
    const { wire, apiApp, impostor } = this.ports;
    return `# Written by kedge demo.
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: ${wire} }
    ports:
      "${apiApp}":
        authorizations:
          - name: only-web
            serviceAccounts: [shop/web]
services:
  shop/api:
    ports:
      "80":
        endpoints:
          - { workload: shop/api-0, port: ${apiApp} }
  shop/billing:
    ports:
      "80":
        endpoints:
          - { address: ${this.impostorAddress}, port: ${impostor}, serviceAccount: shop/billing }
`;
  }
}
