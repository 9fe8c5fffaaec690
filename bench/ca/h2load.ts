import { onCore } from '../processes/on-core.ts';
import type { Processes } from '../processes/processes.ts';

/** A POST that is sent again and again. */
export interface Load {
  readonly url: string;
  readonly bodyFile: string;
  readonly headers: readonly string[];
  readonly connections: number;
  /** Requests open at once on each connection. */
  readonly streams: number;
  readonly requests: number;
  /** Whether it is held to the core that the server is not on; it is unless told otherwise. */
  readonly pinned?: boolean;
}

/** Requests a second, connecting included. Rejects unless each of them was answered with 2xx. */
export async function h2load(processes: Processes, program: string, load: Load): Promise<number> {
  const { url, bodyFile, headers, connections, streams, requests, pinned = true } = load;
  const counts = ['-t', '1', '-c', String(connections), '-m', String(streams), '-n', String(requests)];
  const sent = ['-d', bodyFile, ...headers.flatMap((header) => ['-H', header])];
  const command = [program, ...counts, ...sent, url];
  const output = await processes.output(pinned ? onCore(0, command) : command);
  const rate = /^finished in .*, ([\d.]+) req\/s/m.exec(output)?.[1];
  const good = /^status codes: (\d+) 2xx/m.exec(output)?.[1];
  if (rate === undefined || Number(good) !== requests)
    throw new Error(`expected ${requests} good answers from ${url}, got:\n${output}`);
  return Number(rate);
}
