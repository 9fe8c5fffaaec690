import { text } from 'node:stream/consumers';
import http from 'node:http';

/** One sample of a Prometheus text exposition. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What an HTTP server on a local port answers to a GET; rejects when the connection breaks. */
export function get(port: number, path: string, localAddress?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const from = localAddress === undefined ? {} : { localAddress };
    const request = http.get(
      { host: '127.0.0.1', port, path, agent: false, timeout: 10_000, ...from },
      (response) => {
        text(response).then(resolve, reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', reject);
  });
}

/** The samples that a process shows on its admin port. */
export async function scrape(adminPort: number): Promise<Sample[]> {
  const lines = (await get(adminPort, '/metrics')).split('\n');
  return lines.flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) return [];
    const [, name = '', labels = '', value = ''] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, key = '', of = '']) => [key, of] as const,
    );
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

/** The sum of the samples of `name` whose labels contain all of `labels`. */
export function sum(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((total, sample) => total + sample.value, 0);
}
