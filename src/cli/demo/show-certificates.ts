import { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { eventually } from './eventually.ts';
import { scrape, sum } from './scrape.ts';
import { fetchChain } from '../identity/fetch-chain.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

/** The chain that a process of the demo shows under its own name, verified against the anchors and for that name. */
export async function shownChain(
  { world, clock }: { readonly world: World; readonly clock: Clock },
  name: string,
  port: number,
): Promise<Certificate[]> {
  const { dnsName, spiffeId } = world.identityOf(name);
  const shown = await fetchChain({ host: '127.0.0.1', port, serverName: dnsName, timeoutMs: 10_000, clock });
  const [leaf, ...intermediates] = shown.certificates;
  if (!leaf) throw new Error(`expected ${name} to show a certificate, got none`);
  verifyChain({
    leaf,
    intermediates,
    bundle: TrustBundle.parsePem(world.anchors),
    at: clock.now(),
    usage: 'server',
  });
  const names = [...leaf.sans.dns, ...leaf.sans.uri].join(', ');
  if (names !== `${dnsName}, ${spiffeId}`)
    throw new Error(`expected the names ${dnsName}, ${spiffeId}, got ${names}`);
  return shown.certificates;
}

/** Proves that each process holds a certificate of its own, signed by the CA that identity was given. */
export async function showCertificates(stage: Stage): Promise<void> {
  const { ports } = stage.world;
  const shown: [name: string, port: number][] = [
    ['identity', ports.identity],
    ['destination', ports.destination],
    ['web', ports.webAdmin],
    ['api', ports.apiAdmin],
    ['guest', ports.guestAdmin],
  ];
  for (const [name, port] of shown) {
    await stage.proofs.show(`${name} has a certificate of its own`, async () => {
      const [leaf] = await shownChain(stage, name, port);
      if (!leaf) return '';
      const seconds = (leaf.notAfter.getTime() - leaf.notBefore.getTime()) / 1000;
      const { spiffeId } = stage.world.identityOf(name);
      return `${leaf.sans.dns.join()}\n${spiffeId}\n${seconds} s, signed by ${leaf.issuer}`;
    });
  }
  await stage.proofs.show('identity hears which trust bundle each of them uses', async () => {
    const { sha256 } = TrustBundle.parsePem(stage.world.anchors);
    const users = shown.length - 1;
    const streams = async (): Promise<number> =>
      sum(await scrape(ports.identityAdmin), 'kedge_trust_bundle_streams', { bundle: sha256 });
    await eventually(async () => (await streams()) === users, {
      clock: stage.clock,
      signal: stage.signal,
      what: () => `${users} processes to acknowledge the bundle ${sha256}`,
    });
    return `${users} acknowledge the bundle ${sha256.slice(0, 16)}`;
  });
}
