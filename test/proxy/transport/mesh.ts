import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { ConnectionOptions, TlsOptions, TLSSocket } from 'node:tls';

import type { WorkloadIdentity } from '../../../src/pki/workload-identity.ts';
import type { MeshConnection } from '../../../src/proxy/transport/engine.ts';
import type { StreamEngine } from '../../../src/proxy/transport/stream-engine.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { api, until, web } from './bench.ts';
import type { Bench } from './bench.ts';

const hour = 3_600_000;

/** One mesh: an anchor, an issuer below it, and two workloads. */
export const root = TestCa.create({ commonName: 'mesh root' });
export const issuer = root.intermediate({ commonName: 'mesh issuer' });
export const apiLeaf = issuer.leaf({ identity: api });
export const webLeaf = issuer.leaf({ identity: web });
/** Turns a leaf into one whose time is over. */
export const expired = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };

/** OpenSSL accepts these two; the Rust proxy's verifier does not (contract 3.1). */
export function pssLeaf(identity: WorkloadIdentity): TestLeaf {
  return root.intermediate({ keyType: 'RSA' }).leaf({ identity, signature: 'rsa-pss' });
}

export function uriConstrainedLeaf(identity: WorkloadIdentity): TestLeaf {
  return root.intermediate({ permittedUri: ['cluster.local'] }).leaf({ identity });
}

/** A leaf as Node's TLS takes it. */
export function own({ chain, key }: TestLeaf): { cert: string; key: string } {
  return {
    cert: chain.map(({ pem }) => pem).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** The outcomes of ending TLS on what was accepted, in order. */
export class Outcomes {
  readonly #waiting: Promise<MeshConnection>[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  add(outcome: Promise<MeshConnection>): void {
    outcome.catch(() => undefined);
    this.#waiting.push(outcome);
  }

  /** The next one, once there is one. */
  async next(): Promise<MeshConnection> {
    await until(() => this.#waiting.length > 0);
    return await this.#waiting.shift()!;
  }
}

/** A listener that ends mesh TLS on everything it accepts. */
export async function terminating(
  bench: Bench,
  engine: StreamEngine,
  alpn?: string,
): Promise<{ address: SocketAddress; outcomes: Outcomes }> {
  const outcomes = new Outcomes();
  const address = await bench.listen(engine, (connection) =>
    outcomes.add(engine.terminate(connection, { timeoutMs: 1000, ...(alpn !== undefined && { alpn }) })),
  );
  return { address, outcomes };
}

/** A client that is not ours. */
export function foreignClient(
  bench: Bench,
  address: SocketAddress,
  options: ConnectionOptions = {},
): TLSSocket {
  return bench.own(
    connect({
      ...address,
      servername: api.dnsName,
      ca: [root.certificate.pem],
      checkServerIdentity: () => undefined,
      ...options,
    }),
  );
}

/** A server that is not ours. */
export async function foreignServer(
  bench: Bench,
  options: TlsOptions,
  accept: (socket: TLSSocket) => void = () => undefined,
): Promise<SocketAddress> {
  const server = createServer({ requestCert: true, rejectUnauthorized: false, ...options }, (socket) =>
    accept(bench.own(socket)),
  );
  return await bench.serve((socket) => server.emit('connection', socket));
}

/** An address where nothing listens. */
export async function closedPort(): Promise<SocketAddress> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port };
}
