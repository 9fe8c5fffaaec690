import tls from 'node:tls';
import { errorMessage } from '../../runtime/errors.ts';
import { eventually } from './eventually.ts';
import { OutsideClient } from './outside-client.ts';
import { get } from './get.ts';
import { scrape, sum } from './scrape.ts';
import { impostorAddress } from './shop.ts';
import type { Stage } from './stage.ts';
import { peerAddress } from './world.ts';

/** Proves that what must not pass does not, and that each refusal is counted or answered. */
export async function showRefusals(stage: Stage): Promise<void> {
  await refusedConnections(stage);
  await refusedRequests(stage);
}

/** A counter that must have risen by the end of `act`. */
interface Counted {
  adminPort: number;
  metric: string;
  labels?: Record<string, string>;
}

async function counts(
  stage: Stage,
  { adminPort, metric, labels }: Counted,
  act: () => Promise<void>,
): Promise<string> {
  const read = async (): Promise<number> => sum(await scrape(adminPort), metric, labels);
  const before = await read();
  await act();
  await eventually(async () => (await read()) > before, {
    clock: stage.clock,
    signal: stage.signal,
    what: () => `${metric}${JSON.stringify(labels ?? {})} to rise above ${before}`,
    withinMs: 10_000,
  });
  const shown = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${shown.join(',')}} +${(await read()) - before}`;
}

/** Runs a request that has to be cut off; answers with how the client saw it. */
async function cutOff(port: number, localAddress?: string): Promise<string> {
  const outcome = await get(port, '/orders/42', localAddress === undefined ? {} : { localAddress }).catch(
    errorMessage,
  );
  if (typeof outcome !== 'string')
    throw new Error(`expected the connection to be refused, got ${JSON.stringify(outcome.body)}`);
  return outcome;
}

async function refusedConnections(stage: Stage): Promise<void> {
  const { world, proofs } = stage;
  const denied = { adminPort: world.ports.apiAdmin, metric: 'inbound_tcp_authz_deny_total' };
  await proofs.show('plaintext to the server is refused by policy', async () => {
    let cut = '';
    const counted = await counts(stage, { ...denied, labels: { tls: 'no_identity' } }, async () => {
      cut = await cutOff(world.ports.apiForward, peerAddress);
    });
    return `${cut}\n${counted}`;
  });
  await proofs.show('a proxy that policy does not name is refused', async () => {
    const guest = world.identityOf('guest').dnsName;
    let cut = '';
    const counted = await counts(stage, { ...denied, labels: { client_id: guest } }, async () => {
      cut = await cutOff(world.ports.guestToApi);
    });
    return `${cut}\n${counted}`;
  });
  await proofs.show('a server with another identity than destination named is refused', () =>
    impostor(stage),
  );
}

/** A genuine certificate of the mesh, but of another workload, where destination says that billing is. */
async function impostor(stage: Stage): Promise<string> {
  const { world } = stage;
  const client = new OutsideClient(stage);
  const { key, chain } = await client.certificate('guest');
  let reached = 0;
  const server = tls.createServer({ key, cert: chain, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('data', (bytes) => (reached += bytes.length));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(world.ports.impostor, impostorAddress, resolve));
  try {
    let cut = '';
    const metric = {
      adminPort: world.ports.webAdmin,
      metric: 'outbound_tcp_errors_total',
      labels: { error: 'mesh_wrong_identity' },
    };
    const counted = await counts(stage, metric, async () => {
      cut = await cutOff(world.ports.webToBilling);
    });
    if (reached > 0) throw new Error(`expected no byte of the client to reach the impostor, got ${reached}`);
    return `it proves guest, billing was named: ${cut}, 0 bytes reached it\n${counted}`;
  } finally {
    server.close();
  }
}

async function refusedRequests(stage: Stage): Promise<void> {
  const client = new OutsideClient(stage);
  const refusals: [claim: string, attempt: () => Promise<string>][] = [
    ['a token for another audience is refused', () => client.refusal({ name: 'web', audience: 'vault' })],
    ['an expired token is refused', () => client.refusal({ name: 'web', validForSeconds: -120 })],
    ['a CSR for another name is refused', () => client.refusal({ name: 'web', csrName: 'api' })],
    [
      'the name of another workload is refused',
      () => client.refusal({ name: 'web', ask: 'api', csrName: 'api' }),
    ],
  ];
  for (const [claim, attempt] of refusals) await stage.proofs.show(claim, attempt);
}
