import { get } from './get.ts';
import { scrape, sum } from './scrape.ts';
import type { Sample } from './scrape.ts';
import type { Stage } from './stage.ts';

const answer = 'order 42 is on its way\n';

/** Proves that a plain client and a plain server talk over mutual TLS, from the bytes on the wire and from both sides. */
export async function showTraffic(stage: Stage): Promise<void> {
  const { world, wire, proofs } = stage;
  await proofs.show('the client, in plain HTTP, is answered by the server', async () => {
    const { body: got } = await get(world.ports.webToApi, '/orders/42');
    if (got !== answer) throw new Error(`expected ${JSON.stringify(answer)}, got ${JSON.stringify(got)}`);
    return JSON.stringify(got);
  });
  await proofs.show('on the wire between the proxies: TLS 1.3', () => {
    const hello = wire.serverHello;
    if (hello?.version !== 'TLS 1.3')
      throw new Error(`expected a ServerHello of TLS 1.3, got ${JSON.stringify(hello)}`);
    return Promise.resolve(
      `${hello.version}, ${hello.group}, ${hello.cipher} (from the captured ServerHello)`,
    );
  });
  await proofs.show('on the wire between the proxies: nothing in clear', () => {
    const words = ['order 42', '/orders/42', 'HTTP/1.1', 'shop/sa/'];
    const seen = words.filter((word) => wire.saw(word));
    if (seen.length > 0)
      throw new Error(`expected none of the client's words in the capture, got ${seen.join(', ')}`);
    return Promise.resolve(
      `${wire.bytes} bytes captured, none of ${words.map((word) => `"${word}"`).join(', ')}`,
    );
  });
  await proofs.show('the client side knows the server', async () => {
    const peer = { direction: 'outbound', peer: 'dst', tls: 'true' };
    return expectPeer(await scrape(world.ports.webAdmin), peer, 'server_id', world.identityOf('api').dnsName);
  });
  await proofs.show('the server side knows the client', async () => {
    const peer = { direction: 'inbound', peer: 'src', tls: 'true' };
    return expectPeer(await scrape(world.ports.apiAdmin), peer, 'client_id', world.identityOf('web').dnsName);
  });
}

function expectPeer(
  samples: Sample[],
  labels: Record<string, string>,
  label: string,
  identity: string,
): string {
  const connections = sum(samples, 'tcp_open_total', { ...labels, [label]: identity });
  if (connections < 1) {
    const seen = samples
      .filter(({ name }) => name === 'tcp_open_total')
      .map((sample) => JSON.stringify(sample.labels));
    throw new Error(`expected a connection with ${label}=${identity}, got ${seen.join(' ')}`);
  }
  return `${label}="${identity}", ${connections} connection(s)`;
}
