import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const source = pathToFileURL(path.join(import.meta.dirname, '..', '..', '..', 'src') + path.sep).href;

/** How often one run of code was passed since the last look; `start` and `end` count characters of the file. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Counts the blocks of code that run in this thread, by what V8 itself counts. Code loaded before `start` is counted only in part. */
export class BlockCoverage {
  readonly #session = new Session();

  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** The functions of these files under `src/` that ran since the last look, each as its blocks from the outermost in. */
  take(files: readonly string[]): Map<string, readonly Block[][]> {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      scripts = answer.result;
    });
    const wanted = new Map(files.map((file) => [source + file, file]));
    return new Map(
      scripts.flatMap(({ url, functions }) => {
        const file = wanted.get(url);
        return file === undefined ? [] : [[file, functions.map(({ ranges }) => ranges.map(blockOf))]];
      }),
    );
  }
}

function blockOf({ startOffset, endOffset, count }: Profiler.CoverageRange): Block {
  return { start: startOffset, end: endOffset, count };
}
