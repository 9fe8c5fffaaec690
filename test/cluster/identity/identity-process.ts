import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { field } from '../../support/protobuf-bytes.ts';
import { connectRaw } from '../../support/raw-grpc.ts';
import type { RawAnswer } from '../../support/raw-grpc.ts';

const main = path.join(import.meta.dirname, '..', '..', '..', 'src', 'identity', 'main.ts');
const certify = '/io.linkerd.proxy.identity.Identity/Certify';

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** A replica of the identity service, in a process of its own. */
export class IdentityProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #log: Interface;
  readonly #exited: Promise<unknown>;

  /** @param kubeconfig of its ServiceAccount */
  constructor(kubeconfig: string, settings: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [main], {
      env: {
        KEDGE_KUBECONFIG: kubeconfig,
        KEDGE_IDENTITY_LISTEN_ADDR: '127.0.0.1:0',
        KEDGE_ADMIN_LISTEN_ADDR: '127.0.0.1:0',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'exit');
    const { stdout } = this.#child;
    if (stdout === null) throw new TypeError('expected a pipe');
    this.#log = createInterface(stdout).on('line', (line) => this.lines.push(JSON.parse(line) as LogLine));
  }

  /** The first line with this message, once there is one; however long that takes on a busy machine. */
  async line(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => line.message === message);
      if (found !== undefined) return found;
      const next = await Promise.race([once(this.#log, 'line'), this.#exited.then(() => undefined)]);
      if (next === undefined) throw new Error(`expected "${message}", got ${JSON.stringify(this.lines)}`);
    }
  }

  withMessage(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  /** Status and body of `/ready`. */
  async ready(): Promise<string> {
    const { adminAddress } = (await this.line('serving')) as unknown as { adminAddress: SocketAddress };
    const answer = await fetch(`http://127.0.0.1:${adminAddress.port}/ready`);
    return `${answer.status} ${await answer.text()}`;
  }

  /** Asks for a certificate as an outside program that knows only the wire. */
  async certify(
    request: { identity: string; token: string; csr: Buffer },
    anchors: string,
  ): Promise<RawAnswer> {
    const { address } = (await this.line('serving')) as unknown as { address: SocketAddress };
    const servername = 'kedge-identity.kedge.serviceaccount.identity.kedge.cluster.local';
    using client = await connectRaw(address, { ca: anchors, servername, minVersion: 'TLSv1.3' });
    const { identity, token, csr } = request;
    return await client.call(certify, Buffer.concat([field(1, identity), field(2, token), field(3, csr)]));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
