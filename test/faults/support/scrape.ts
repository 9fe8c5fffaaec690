import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import type { SocketAddress } from '../../../src/runtime/socket-address.ts';

/** The metrics of a proxy, as Prometheus reads them. */
export async function scrape(admin: SocketAddress): Promise<string> {
  const socket = connect(admin);
  socket.write('GET /metrics HTTP/1.1\r\nhost: proxy\r\n\r\n');
  return await text(socket);
}

/** The sum of a metric's samples whose labels hold all of `labels`. */
export function sample(metrics: string, name: string, ...labels: string[]): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    const [, shown = '', value] = /^([^ {]+(?:{.*})?) (\S+)$/.exec(line) ?? [];
    const fits = shown === name || shown.startsWith(`${name}{`);
    if (fits && labels.every((label) => shown.includes(label))) sum += Number(value);
  }
  return sum;
}
