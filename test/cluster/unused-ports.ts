import { randomInt } from 'node:crypto';
import net from 'node:net';

// Below the range that outgoing connections are given, so that none of those takes a port while its server restarts.
const lowest = 20_000;
const highest = 32_000;

/** As many different ports of 127.0.0.1 as asked for that nothing listens on. */
export async function unusedPorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
