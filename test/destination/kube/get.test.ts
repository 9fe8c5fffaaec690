import { setImmediate } from 'node:timers/promises';
import { Get } from '../../../src/destination/get.ts';
import type { Update } from '../../../src/rpc/destination-api.ts';
import { FoldedSet } from '../support/folded-set.ts';
import { MemoryCluster } from './support/memory-cluster.ts';
import { at, node, service, slice } from './support/objects.ts';

function cluster(): MemoryCluster {
  return new MemoryCluster()
    .put('nodes', node('node-a', 'zone-a'), node('node-b', 'zone-b'))
    .put('services', service('web', { internalTrafficPolicy: 'Local', ports: [{ port: 80 }] }))
    .put('endpointSlices', slice('web-1', 'web', [on('192.0.2.1', 'node-a'), on('192.0.2.2', 'node-b')]))
    .sync();
}

function on(address: string, nodeName: string) {
  return at(address, undefined, { nodeName });
}

/** A stream of `Get`, and what its reader knows. */
function subscribe(get: Get, contextToken: string) {
  const end = new AbortController();
  const updates: Update[] = [];
  const folded = new FoldedSet();
  const out = {
    signal: end.signal,
    end: () => undefined,
    write: (update: Update) => out.writeMade(() => [update]),
    writeMade: (make: () => readonly Update[]) => {
      const made = make();
      updates.push(...made);
      folded.apply(made);
    },
  };
  const path = 'web.shop.svc.cluster.local:80';
  const ended = get.answer({ scheme: '', path, contextToken }, out);
  const leave = async () => {
    end.abort();
    await ended;
  };
  return { updates, folded, leave };
}

describe('a service whose traffic is to stay on the node', () => {
  it('is told to each proxy as its context says where it is, as the same objects to those on one node', async () => {
    const of = cluster();
    const get = new Get(of.source, 'cluster.local');
    const tokens = [
      '{"nodeName":"node-a"}\n',
      '{"ns":"shop","nodeName":"node-a"}',
      '{"nodeName":"node-b"}',
      '',
    ];
    const [a, alike, b, nowhere] = tokens.map((token) => subscribe(get, token)) as [
      Stream,
      Stream,
      Stream,
      Stream,
    ];
    expect([a, alike, b, nowhere].map(({ folded }) => folded.keys)).toEqual([
      ['192.0.2.1:8080'],
      ['192.0.2.1:8080'],
      ['192.0.2.2:8080'],
      [],
    ]);
    expect(a.updates[0]).toBe(alike.updates[0]);
    of.put('endpointSlices', slice('web-1', 'web', [on('192.0.2.1', 'node-a'), on('192.0.2.3', 'node-b')]));
    await setImmediate();
    expect(b.folded.keys).toEqual(['192.0.2.3:8080']);
    expect(a.updates).toHaveLength(1);
    of.put('services', service('web', { ports: [{ port: 80 }] }));
    await setImmediate();
    for (const { folded } of [a, b, nowhere])
      expect(folded.keys).toEqual(['192.0.2.1:8080', '192.0.2.3:8080']);
    of.delete('services', 'shop/web');
    await setImmediate();
    expect(a.updates.at(-1)?.update).toEqual({ $case: 'noEndpoints', value: { exists: false } });
    expect(get.subscriptions).toBe(3);
    await Promise.all([a, alike, b, nowhere].map(({ leave }) => leave()));
    expect(get.subscriptions).toBe(0);
  });
});

type Stream = ReturnType<typeof subscribe>;
