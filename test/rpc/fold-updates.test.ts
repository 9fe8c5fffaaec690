import fc from 'fast-check';

import { Update } from '../../src/rpc/destination-api.ts';
import { foldUpdates } from '../../src/rpc/fold-updates.ts';

/** What a reader knows after updates (contract 4.2): labels by address, and whether it was told of an empty set. */
interface Known {
  readonly addresses: Map<number, string>;
  reset: boolean;
}

function read(known: Known, { update }: Update): void {
  if (update?.$case === 'add') {
    for (const { addr, metricLabels } of update.value.addrs) {
      const labels = { ...update.value.metricLabels, ...metricLabels };
      known.addresses.set(addr?.port ?? 0, JSON.stringify(Object.entries(labels).sort()));
    }
  } else if (update?.$case === 'remove') {
    for (const { port } of update.value.addrs) known.addresses.delete(port);
  } else if (update?.$case === 'noEndpoints') {
    known.addresses.clear();
    known.reset = true;
  }
}

function after(updates: readonly Update[], before: ReadonlyMap<number, string> = new Map()): Known {
  const known: Known = { addresses: new Map(before), reset: false };
  for (const update of updates) read(known, update);
  return known;
}

const port = fc.integer({ min: 1, max: 5 });
const labels = fc.dictionary(fc.constantFrom('zone', 'pod'), fc.constantFrom('a', 'b'));

function addr(number: number) {
  return { ip: { ip: { $case: 'ipv4' as const, value: 0x7f000001 } }, port: number };
}

const add = fc
  .record({ ports: fc.array(fc.tuple(port, labels), { maxLength: 4 }), metricLabels: labels })
  .map(({ ports, metricLabels }) =>
    Update.fromPartial({
      update: {
        $case: 'add',
        value: { addrs: ports.map(([each, own]) => ({ addr: addr(each), metricLabels: own })), metricLabels },
      },
    }),
  );
const remove = fc
  .array(port, { maxLength: 4 })
  .map((ports) => Update.fromPartial({ update: { $case: 'remove', value: { addrs: ports.map(addr) } } }));
const none = fc
  .boolean()
  .map((exists) => Update.fromPartial({ update: { $case: 'noEndpoints', value: { exists } } }));

const updates = fc.array(fc.oneof({ weight: 4, arbitrary: add }, { weight: 3, arbitrary: remove }, none), {
  minLength: 1,
  maxLength: 12,
});

describe('folded updates', () => {
  it('bring a reader to the state that all of them in a row would, in at most three messages', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(port, fc.constant('[]'))), updates, (before, sent) => {
        const folded = sent.reduce<readonly Update[]>(foldUpdates, []);
        expect(folded.length).toBeLessThanOrEqual(3);
        expect(after(folded, new Map(before))).toEqual(after(sent, new Map(before)));
      }),
      { numRuns: 300 },
    );
  });

  it('keep apart addresses that differ only in family or port', () => {
    const v4 = { ip: { ip: { $case: 'ipv4' as const, value: 1 } }, port: 80 };
    const v6 = { ip: { ip: { $case: 'ipv6' as const, value: { first: 0n, last: 1n } } }, port: 80 };
    const first = Update.fromPartial({
      update: { $case: 'add', value: { addrs: [{ addr: v4 }, { addr: v6 }, { addr: { ...v4, port: 81 } }] } },
    });
    const second = Update.fromPartial({ update: { $case: 'remove', value: { addrs: [v6] } } });
    const [added, removed] = foldUpdates([first], second);
    expect(removed?.update).toMatchObject({ $case: 'remove', value: { addrs: [v6] } });
    expect(added?.update).toMatchObject({
      $case: 'add',
      value: { addrs: [{ addr: v4 }, { addr: { ...v4, port: 81 } }] },
    });
  });

  it('tell what is new before what is gone, so that there is somewhere to go in between', () => {
    const first = Update.fromPartial({
      update: { $case: 'add', value: { addrs: [{ addr: addr(1) }], metricLabels: {} } },
    });
    const second = Update.fromPartial({
      update: { $case: 'add', value: { addrs: [{ addr: addr(2) }], metricLabels: {} } },
    });
    const gone = Update.fromPartial({ update: { $case: 'remove', value: { addrs: [addr(1)] } } });
    const kinds = [first, second, gone]
      .reduce<readonly Update[]>((waiting, next) => foldUpdates(waiting, next), [])
      .map(({ update }) => update?.$case);
    expect(kinds).toEqual(['add', 'remove']);
  });
});
