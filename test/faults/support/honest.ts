import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { Client } from './echo.ts';

/** What became of the requests of a client that wants nothing but to be served. */
export interface Served {
  readonly answered: number;
  /** How those ended that were not answered. */
  readonly failures: readonly string[];
  /** Of the first requests, which wait for both proxies to connect, and of the others; sorted. */
  readonly firstMs: readonly number[];
  readonly laterMs: readonly number[];
}

/** One connection after another, each with a few requests. */
export async function beServed(address: SocketAddress, connections: number, requests = 5): Promise<Served> {
  const firstMs: number[] = [];
  const laterMs: number[] = [];
  const failures: string[] = [];
  for (let i = 0; i < connections; i++) {
    using client = new Client(address);
    for (let j = 0; j < requests; j++) {
      const outcome = await client.roundTrip();
      if (typeof outcome === 'string') failures.push(outcome);
      else (j === 0 ? firstMs : laterMs).push(outcome);
    }
  }
  for (const took of [firstMs, laterMs]) took.sort((a, b) => a - b);
  return { answered: firstMs.length + laterMs.length, failures, firstMs, laterMs };
}

export function showServed({ firstMs, laterMs }: Served): string {
  return `new connection ${spread(firstMs)}, request ${spread(laterMs)}`;
}

/** Median and slowest. */
function spread(sorted: readonly number[]): string {
  const [median = NaN, slowest = NaN] = [sorted[sorted.length >> 1], sorted.at(-1)];
  return `${median.toFixed(1)} ms (slowest ${slowest.toFixed(1)})`;
}
