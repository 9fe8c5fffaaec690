import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { get } from '../../../src/cli/demo/get.ts';
import { scrape, sum } from '../../../src/cli/demo/scrape.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';

async function serving(answer: () => Promise<string> | string): Promise<{ port: number } & AsyncDisposable> {
  const server = http.createServer(
    (_, response) => void Promise.resolve(answer()).then((text) => response.end(text)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe('scrape', () => {
  it('reads back what a process shows, labels with quotes and backslashes included', async () => {
    const metrics = new Metrics();
    metrics.counter('refused_total', 'Refused.', ['who', 'why']).inc({ who: 'a"b\\c', why: 'x' }, 3);
    metrics.counter('refused_total', 'Refused.', ['who', 'why']).inc({ who: 'd', why: 'x' }, 4);
    await using server = await serving(() => metrics.text());
    const samples = await scrape(server.port);
    expect(sum(samples, 'refused_total')).toBe(7);
    expect(sum(samples, 'refused_total', { who: 'd' })).toBe(4);
    expect(sum(samples, 'refused_total', { who: 'd', why: 'y' })).toBe(0);
  });

  it('rejects when nothing listens', async () => {
    const server = await serving(() => '');
    await server[Symbol.asyncDispose]();
    await expect(get(server.port, '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
