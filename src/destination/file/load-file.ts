import { errorMessage } from '../../runtime/errors.ts';
import type { Latest } from '../../runtime/latest.ts';
import { LatestValue } from '../../runtime/latest.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { watchFiles } from '../../runtime/watch-files.ts';
import type { DestinationMetrics } from '../destination-metrics.ts';
import type { Catalogue } from './catalogue.ts';
import type { CatalogueReader } from './read-catalogue.ts';

/** How often the file is read where no event of the file system comes. */
const READ_INTERVAL_MS = 5_000;

export interface LoadOptions {
  readonly path: string;
  readonly read: CatalogueReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<DestinationMetrics, 'fileLoads' | 'fileLoaded'>;
  /** Ends the following of the file. */
  readonly signal: AbortSignal;
}

export interface LoadedFile {
  /** The last good content, `undefined` before the first. */
  readonly catalogue: Latest<Catalogue | undefined>;
  /** Why the file as it is now is not the content in use. */
  readonly problem: Latest<string | undefined>;
}

/**
 * Follows the destination file. Its content is switched to as a whole or not at all: a bad or missing file leaves the
 * last good content in use and is told. Resolves once the file has been looked at.
 */
export async function loadFile(options: LoadOptions): Promise<LoadedFile> {
  const { path, read, clock, log, metrics, signal } = options;
  const catalogue = new LatestValue<Catalogue | undefined>(undefined);
  const problem = new LatestValue<string | undefined>(undefined);
  const refuse = (error: unknown) => {
    metrics.fileLoads.inc({ result: 'refused' });
    log.error({ path, error }, 'destination file refused, last good content stays in use');
    problem.set(`${path}: ${errorMessage(error)}`);
  };
  const take = (content: Uint8Array) => {
    let next: Catalogue;
    try {
      next = read(content);
    } catch (error) {
      refuse(error);
      return;
    }
    metrics.fileLoads.inc({ result: 'loaded' });
    metrics.fileLoaded.set(clock.now().getTime() / 1000);
    log.info({ path, ...next.size }, 'destination file loaded');
    problem.set(undefined);
    catalogue.set(next);
  };
  await watchFiles({
    paths: [path],
    clock,
    intervalMs: READ_INTERVAL_MS,
    signal,
    onContent: (contents) => take(contents.get(path) ?? new Uint8Array()),
    onError: refuse,
  });
  return { catalogue, problem };
}
