import type { Collection } from '../../kube/collection.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { Latest } from '../../runtime/latest.ts';
import { issuerErrors } from '../errors.ts';
import type { IntermediateCa, IntermediateSource } from '../issuer.ts';
import { caNames, readCaMaterial, type CaMaterial } from './ca-material.ts';
import { VettedCa, type VettingOptions } from './vetted-ca.ts';

/** A Secret as the API has it. */
export interface SecretData extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | null;
}

/** What is kept of a Secret: the texts under the names of a CA. */
export type CaTexts = Readonly<Record<string, string>>;

/**
 * The type of Secrets for TLS demands its names, so an empty text counts as none.
 *
 * @param data in base64, as the API has it
 */
export function caTextsOf({ data }: SecretData): CaTexts {
  const texts: Record<string, string> = {};
  for (const name of caNames) {
    const value = data?.[name];
    if (value !== undefined && value !== '') texts[name] = Buffer.from(value, 'base64').toString('utf8');
  }
  return texts;
}

export interface SecretSourceOptions extends VettingOptions {
  readonly secrets: Collection<CaTexts>;
  /** `namespace/name`. */
  readonly key: string;
}

/** A CA key pair in a Secret of the cluster, under either of the two pairs of names. */
export class SecretSource implements IntermediateSource {
  readonly #options: SecretSourceOptions;
  readonly #vetted: VettedCa;

  constructor(options: SecretSourceOptions) {
    this.#options = options;
    this.#vetted = new VettedCa('issuer Secret', options);
  }

  get current(): Latest<IntermediateCa | undefined> {
    return this.#vetted.current;
  }

  get problem(): Latest<string | undefined> {
    return this.#vetted.problem;
  }

  /** Follows the Secret until the signal is aborted. */
  start(signal: AbortSignal): void {
    const { secrets } = this.#options;
    this.#vetted.follow(signal);
    const look = (): void => {
      // Before everything has been seen once, a Secret that is not known may be there.
      if (secrets.synced.value) this.#vetted.look(() => this.#material());
    };
    const stops = [secrets.subscribe(look), secrets.synced.subscribe(look)];
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
    look();
  }

  #material(): CaMaterial {
    const { secrets, key } = this.#options;
    const texts = secrets.get(key);
    if (texts !== undefined) return readCaMaterial(`the Secret ${key}`, (name) => texts[name]);
    throw issuerErrors.error('issuer_files_incomplete', `expected the Secret ${key}, found none`);
  }
}
