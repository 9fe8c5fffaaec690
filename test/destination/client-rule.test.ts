import { admission } from '../../src/destination/client-rule.ts';
import type { AppError } from '../../src/runtime/errors.ts';
import { refusal } from '../support/refusal.ts';
import { mesh } from './support/mesh.ts';
import { Reader } from './support/reader.ts';
import { shopFile } from './support/shop-file.ts';
import { ca, startStand } from './support/stand.ts';
import type { Stand } from './support/stand.ts';

const own = ca.leaf({ identity: mesh.identity('shop', 'web') });
const foreign = ca.leaf({ dnsName: 'web.shop.serviceaccount.identity.other.mesh.example' });

/** What each of the four calls is answered with: `answered`, or the refusal. */
async function callsOf(stand: Stand): Promise<string[]> {
  const path = 'api.shop.svc.cluster.local:7000';
  const target = { scheme: '', path, contextToken: '' };
  const port = { workload: 'shop:api-0', port: 80 };
  await using get = new Reader((signal) => stand.destination.get(target, signal));
  await using profile = new Reader((signal) => stand.destination.getProfile(target, signal));
  await using watch = new Reader((signal) => stand.inboundPolicy.watchPort(port, signal));
  const calls = [get.next(), profile.next(), watch.next(), stand.inboundPolicy.getPort(port)];
  const outcomes = await Promise.allSettled(calls);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return 'answered';
    const { code, message } = outcome.reason as AppError;
    return `${code}: ${message}`;
  });
}

describe('the rule about clients', () => {
  it('answers clients without a certificate where it is any', async () => {
    await using stand = await startStand({ file: shopFile });
    expect(await callsOf(stand)).toEqual(['answered', 'answered', 'answered', 'answered']);
  });

  it('answers clients of the mesh where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed', leaf: own });
    expect(await callsOf(stand)).toEqual(['answered', 'answered', 'answered', 'answered']);
  });

  it('refuses each call of a client without a certificate where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed' });
    const refused =
      'rpc_unauthenticated: expected a client certificate of this mesh, got none; connect again once there is one';
    expect(await callsOf(stand)).toEqual([refused, refused, refused, refused]);
  });

  it('refuses each call of a client of another mesh where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed', leaf: foreign });
    const refused =
      'rpc_permission_denied: expected a certificate for a workload under identity.kedge.mesh.example, got "web.shop.serviceaccount.identity.other.mesh.example"';
    expect(await callsOf(stand)).toEqual([refused, refused, refused, refused]);
  });

  it('names a certificate without DNS names as such', () => {
    const peer = { dnsNames: [], uris: ['spiffe://mesh.example/ns/shop/sa/web'], notAfter: new Date() };
    expect(refusal(() => admission('meshed', mesh)({ peer }))).toMatch(
      /^client_not_meshed: .*, got one without DNS names$/,
    );
  });
});
