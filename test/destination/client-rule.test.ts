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

const path = 'api.shop.svc.cluster.local:7000';
const target = { scheme: '', path, contextToken: '' };
const port = { workload: 'shop:api-0', port: 80 };
const traffic = { sourceWorkload: 'shop:api-0', target: { $case: 'authority' as const, value: path } };

async function firstOf<T>(open: (signal: AbortSignal) => AsyncIterable<T>): Promise<T> {
  await using reader = new Reader(open);
  return await reader.next();
}

/** One call of each method; the first answer of a stream. */
const calls: Readonly<Record<string, (stand: Stand) => Promise<unknown>>> = {
  'destination.Destination/Get': ({ destination }) => firstOf((signal) => destination.get(target, signal)),
  'destination.Destination/GetProfile': ({ destination }) =>
    firstOf((signal) => destination.getProfile(target, signal)),
  'inbound.InboundServerPolicies/GetPort': ({ inboundPolicy }) => inboundPolicy.getPort(port),
  'inbound.InboundServerPolicies/WatchPort': ({ inboundPolicy }) =>
    firstOf((signal) => inboundPolicy.watchPort(port, signal)),
  'outbound.OutboundPolicies/Get': ({ outboundPolicy }) => outboundPolicy.get(traffic),
  'outbound.OutboundPolicies/Watch': ({ outboundPolicy }) =>
    firstOf((signal) => outboundPolicy.watch(traffic, signal)),
};

/** What each method is answered with: `answered`, or the refusal. */
async function outcomes(stand: Stand): Promise<Record<string, string>> {
  const methods = stand.methods.map((method) => method.replace('/io.linkerd.proxy.', ''));
  const answers = await Promise.all(
    methods.map(async (method) => {
      const call = calls[method];
      if (call === undefined) throw new Error(`expected a call of ${method} in this test`);
      const answer = await call(stand).then(
        () => 'answered',
        (error: unknown) => `${(error as AppError).code}: ${(error as AppError).message}`,
      );
      return [method, answer] as const;
    }),
  );
  return Object.fromEntries(answers);
}

const each = (outcome: string): Record<string, string> =>
  Object.fromEntries(Object.keys(calls).map((method) => [method, outcome]));

describe('the rule about clients', () => {
  it('answers clients without a certificate where it is any', async () => {
    await using stand = await startStand({ file: shopFile });
    expect(await outcomes(stand)).toEqual(each('answered'));
  });

  it('answers clients of the mesh where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed', leaf: own });
    expect(await outcomes(stand)).toEqual(each('answered'));
  });

  it('refuses each call of a client without a certificate where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed' });
    const refused =
      'rpc_unauthenticated: expected a client certificate of this mesh, got none; connect again once there is one';
    expect(await outcomes(stand)).toEqual(each(refused));
  });

  it('refuses each call of a client of another mesh where it is meshed', async () => {
    await using stand = await startStand({ file: shopFile, clients: 'meshed', leaf: foreign });
    const refused =
      'rpc_permission_denied: expected a certificate for a workload under identity.kedge.mesh.example, got "web.shop.serviceaccount.identity.other.mesh.example"';
    expect(await outcomes(stand)).toEqual(each(refused));
  });

  it('names a certificate without DNS names as such', () => {
    const peer = { dnsNames: [], uris: ['spiffe://mesh.example/ns/shop/sa/web'], notAfter: new Date() };
    expect(refusal(() => admission('meshed', mesh)({ peer }))).toMatch(
      /^client_not_meshed: .*, got one without DNS names$/,
    );
  });
});
