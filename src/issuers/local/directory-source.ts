import { join } from 'node:path';
import type { Latest } from '../../runtime/latest.ts';
import { watchFiles } from '../../runtime/watch-files.ts';
import type { IntermediateCa, IntermediateSource } from '../issuer.ts';
import { caNames, readCaMaterial } from './ca-material.ts';
import { VettedCa, type VettingOptions } from './vetted-ca.ts';

export interface DirectorySourceOptions extends VettingOptions {
  readonly directory: string;
}

/** A CA key pair in a directory: a mounted Secret or plain files. */
export class DirectorySource implements IntermediateSource {
  readonly #options: DirectorySourceOptions;
  readonly #vetted: VettedCa;

  constructor(options: DirectorySourceOptions) {
    this.#options = options;
    this.#vetted = new VettedCa('issuer files', options);
  }

  get current(): Latest<IntermediateCa | undefined> {
    return this.#vetted.current;
  }

  get problem(): Latest<string | undefined> {
    return this.#vetted.problem;
  }

  /** Follows the directory until the signal is aborted; resolves when it has been read once. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs, directory } = this.#options;
    this.#vetted.follow(signal);
    await watchFiles({
      paths: [],
      optionalPaths: caNames.map((name) => join(directory, name)),
      clock,
      intervalMs,
      signal,
      onContent: (files) =>
        this.#vetted.look(() =>
          readCaMaterial(directory, (name) => files.get(join(directory, name))?.toString('utf8')),
        ),
      onError: (error) =>
        this.#vetted.look(() => {
          throw error;
        }),
    });
  }
}
