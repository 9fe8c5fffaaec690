import net from 'node:net';
import { readServerHello } from './server-hello.ts';
import type { ServerHello } from './server-hello.ts';

/**
 * A relay between two proxies that keeps what passed, as a packet capture would.
 *
 * It dials from `from`, because the contract lets 127.0.0.1 past every policy (contract 5.2) and a peer on another machine
 * would never have that address.
 */
export class WireTap {
  readonly #server: net.Server;
  readonly #open = new Set<net.Socket>();
  readonly #keepBytes = 1 << 20;
  #kept = 0;
  /** Bytes of each direction of each connection, in order of arrival; up to 1 MiB in all. */
  readonly captured: { toServer: Buffer[]; toClient: Buffer[] }[] = [];
  bytes = 0;

  private constructor(target: net.NetConnectOpts & { port: number }) {
    this.#server = net.createServer({ allowHalfOpen: true }, (client) => this.#relay(client, target));
  }

  /** Listens on `port` of 127.0.0.1 and passes every connection on to `targetPort` from the address `from`. */
  static async listen(port: number, targetPort: number, from: string): Promise<WireTap> {
    const tap = new WireTap({
      host: '127.0.0.1',
      port: targetPort,
      localAddress: from,
      allowHalfOpen: true,
    });
    await new Promise<void>((resolve, reject) => {
      tap.#server.once('error', reject);
      tap.#server.listen(port, '127.0.0.1', resolve);
    });
    return tap;
  }

  /** The ServerHello of the newest connection that has one. */
  get serverHello(): ServerHello | undefined {
    return this.captured
      .map(({ toClient }) => readServerHello(Buffer.concat(toClient)))
      .findLast((hello) => hello);
  }

  /** Whether `text` passed in clear in either direction. */
  saw(text: string): boolean {
    return this.captured.some(({ toServer, toClient }) =>
      [toServer, toClient].some((parts) => Buffer.concat(parts).includes(text)),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #relay(client: net.Socket, target: net.NetConnectOpts): void {
    const server = net.connect(target);
    const record = { toServer: [] as Buffer[], toClient: [] as Buffer[] };
    this.captured.push(record);
    this.#copy(client, server, record.toServer);
    this.#copy(server, client, record.toClient);
  }

  #copy(from: net.Socket, to: net.Socket, record: Buffer[]): void {
    this.#open.add(from);
    from.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.#kept < this.#keepBytes) {
        this.#kept += chunk.length;
        record.push(chunk);
      }
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#open.delete(from);
      if (!from.readableEnded) to.destroy();
    });
  }
}
