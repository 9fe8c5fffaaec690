import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { FileContents } from '../../runtime/read-files.ts';
import { watchFiles } from '../../runtime/watch-files.ts';
import { CallSlots, type CallWait } from './call-slots.ts';
import { vaultErrors } from './errors.ts';

export interface VaultConnectionsOptions {
  readonly address: URL;
  readonly caFile: string | undefined;
  /** The name that the server's certificate must have, where it is not that of the address. */
  readonly serverName: string | undefined;
  /** Presented to the server where given. */
  readonly client: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly maxConnections: number;
  readonly clock: Clock;
}

/** How often files are read where the file system tells of no change. */
const intervalMs = 10_000;

/** The connections to one server: kept open, of limited number, and made with the files of this moment. */
export class VaultConnections {
  readonly #options: VaultConnectionsOptions;
  readonly #slots: CallSlots;
  #agent: HttpAgent | undefined;
  #problem: string | undefined;

  constructor(options: VaultConnectionsOptions) {
    this.#options = options;
    this.#slots = new CallSlots(options.maxConnections, options.clock);
  }

  /** Follows the files until the signal is aborted, which ends all connections; resolves when they were read once. */
  async start(signal: AbortSignal): Promise<void> {
    const { caFile, client, clock } = this.#options;
    const paths = [caFile, client?.certFile, client?.keyFile].filter((path) => path !== undefined);
    if (paths.length === 0) this.#replace(new Map());
    else {
      const onContent = (files: FileContents): void => this.#replace(files);
      const onError = (error: unknown): void => void (this.#problem = errorMessage(error));
      await watchFiles({ paths, clock, intervalMs, signal, onContent, onError });
    }
    const end = (): void => this.#agent?.destroy();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  /** Makes a call when a connection is free; rejects with `vault_credentials_missing` where a file was never read. */
  use<T>(wait: CallWait, call: (agent: HttpAgent) => Promise<T>): Promise<T> {
    return this.#slots.run(wait, () => call(this.#present()));
  }

  #present(): HttpAgent {
    if (this.#agent !== undefined) return this.#agent;
    const why = this.#problem ?? 'they have not been read yet';
    throw vaultErrors.error('vault_credentials_missing', `expected the files for TLS with Vault: ${why}`);
  }

  #replace(files: FileContents): void {
    this.#problem = undefined;
    const before = this.#agent;
    this.#agent = this.#makeAgent(files);
    if (before === undefined) return;
    // Calls that are under way end in peace, and their connections with them.
    before.maxFreeSockets = 0;
    for (const socket of Object.values(before.freeSockets).flat()) socket?.destroy();
  }

  #makeAgent(files: FileContents): HttpAgent {
    const { address, caFile, serverName, client, maxConnections } = this.#options;
    const shared = { keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections };
    if (address.protocol !== 'https:') return new HttpAgent(shared);
    const ca = files.get(caFile ?? '');
    const cert = files.get(client?.certFile ?? '');
    const key = files.get(client?.keyFile ?? '');
    return new HttpsAgent({
      ...shared,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(ca && { ca }),
      ...(cert && key && { cert, key }),
      ...(serverName !== undefined && { servername: serverName }),
    });
  }
}
