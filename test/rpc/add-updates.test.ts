import { addUpdates } from '../../src/rpc/add-updates.ts';
import { Update, WeightedAddr } from '../../src/rpc/destination-api.ts';

const megabyte = 1024 * 1024;

/** As much as destination says of an endpoint. */
const addrs = Array.from({ length: 20_001 }, (_, at) =>
  WeightedAddr.fromPartial({
    addr: { ip: { ip: { $case: 'ipv4', value: 0x0a000000 + at } }, port: 8080 },
    weight: 10_000,
    metricLabels: { pod: `api-6d4cf56db6-${at}`, zone: 'eu-central-1a', zone_locality: 'local' },
    tlsIdentity: {
      strategy: {
        $case: 'dnsLikeIdentity',
        value: { name: 'api.shop.serviceaccount.identity.kedge.cluster.local' },
      },
      serverName: { name: 'api.shop.serviceaccount.identity.kedge.cluster.local' },
    },
    protocolHint: { opaqueTransport: { inboundPort: 4143 } },
  }),
);

function added(updates: readonly Update[]): number {
  return updates.reduce(
    (sum, { update }) => sum + (update?.$case === 'add' ? update.value.addrs.length : 0),
    0,
  );
}

describe('more endpoints than a message may hold', () => {
  it('are told in several, each of which a client takes', () => {
    const updates = addUpdates(addrs, { service: 'api' });
    expect(updates).toHaveLength(6);
    expect(added(updates)).toBe(addrs.length);
    for (const update of updates) {
      expect(Update.encode(update).finish().byteLength).toBeLessThan(4 * megabyte);
      expect(update.update?.value).toMatchObject({ metricLabels: { service: 'api' } });
    }
  });

  it('are so also when each has long names and many labels', () => {
    const pod = 'p'.repeat(800);
    const [first] = addUpdates(addrs.map((addr) => ({ ...addr, metricLabels: { pod } })));
    expect(Update.encode(first!).finish().byteLength).toBeLessThan(4 * megabyte);
  });

  it('are none for no endpoints', () => {
    expect(addUpdates([])).toEqual([]);
  });
});
