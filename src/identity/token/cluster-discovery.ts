import type { PathReader } from '../../kube/path-reader.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Log } from '../../runtime/log.ts';
import type { KeyDocument } from './polled-keys.ts';
import { parseUniqueJson } from './unique-json.ts';

/** The keys that the API server signs the tokens of ServiceAccounts with. */
export function keysOfCluster(client: PathReader): KeyDocument {
  return { host: 'the API server', read: (signal) => client.readPath('/openid/v1/jwks', signal) };
}

export interface PublishedIssuerOptions {
  readonly client: PathReader;
  readonly clock: Clock;
  readonly log: Log;
}

const refreshMs = 5 * 60_000;

/** The issuer that the API server puts into new tokens, as its discovery document says. */
export class PublishedIssuer {
  readonly #options: PublishedIssuerOptions;
  readonly #current = new LatestValue<string | undefined>(undefined);

  constructor(options: PublishedIssuerOptions) {
    this.#options = options;
  }

  get current(): Latest<string | undefined> {
    return this.#current;
  }

  /** Reads it from time to time until the signal is aborted; what was read stays in use while it cannot be. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#read(signal);
      await this.#options.clock.sleep(refreshMs, signal).catch(() => undefined);
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { client, log } = this.#options;
    try {
      const document = await client.readPath('/.well-known/openid-configuration', signal);
      this.#current.set(issuerOf(parseUniqueJson(document)));
    } catch (error) {
      if (!signal.aborted) log.debug({ reason: errorMessage(error) }, 'the token issuer could not be read');
    }
  }
}

function issuerOf(document: unknown): string | undefined {
  const { issuer } = (document ?? {}) as { readonly issuer?: unknown };
  return typeof issuer === 'string' ? issuer : undefined;
}
