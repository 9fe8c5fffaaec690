import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { catalogueReader } from '../../../src/destination/file/read-catalogue.ts';
import { changedText } from '../mutate/change-bytes.ts';
import { INHERITED_NAMES } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { mesh } from '../samples/requests.ts';
import { fuzzTarget } from '../target.ts';

const read = catalogueReader(mesh);

/** One of everything, in few lines: reading takes its time, and there are many to read. */
const smallFile = `clusterNetworks: [10.0.0.0/8]
nodes: { node-a: { zone: eu-1a } }
workloads:
  shop/api-0:
    addresses: [10.1.0.5, "fd00::5"]
    node: node-a
    proxy: { inboundPort: 4143, skipInboundPorts: [9000-9010] }
    labels: { deployment: api }
    policy: all-authenticated
    ports:
      7000:
        authorizations:
          - name: web-and-batch
            serviceAccounts: [shop/web, batch/*]
            networks: [10.1.0.0/16, { cidr: 10.2.0.0/16, except: [10.2.9.0/24] }]
      5432: { protocol: opaque }
services:
  shop/api:
    clusterIPs: [10.96.0.10]
    ports:
      7000:
        endpoints:
          - { workload: shop/api-0, port: 7001, weight: 500 }
          - { address: 10.2.0.9, serviceAccount: db/main, inboundPort: 4143, hostname: far }
`;

/** The lines of the file, of which a few are left out, written twice, moved in or out, or damaged. */
const lines = smallFile.split('\n');
const pieces = [
  '[',
  '{',
  ']',
  '}',
  ': ',
  '- ',
  '*a',
  '&a ',
  '<<: *a',
  '!!js/x ',
  '!x ',
  '\t',
  '"',
  "'",
  '|',
  '>',
  '#',
  '? ',
  '---',
  '%YAML',
  '0x1f',
  '.inf',
  '~',
];
const lineEdit = fc.record({
  at: fc.nat(lines.length - 1),
  kind: fc.nat(4),
  piece: fc.constantFrom(...pieces),
  column: fc.nat(30),
});

const edited = fc.array(lineEdit, { minLength: 1, maxLength: 3 }).map((edits) => {
  const changed = [...lines];
  for (const { at, kind, piece, column } of edits) {
    const line = changed[at] ?? '';
    const places = [
      [],
      [line, line],
      [`  ${line}`],
      [line.replace(/^ {2}/, '')],
      [line.slice(0, column) + piece + line.slice(column)],
    ];
    changed.splice(at, 1, ...places[kind]!);
  }
  return changed.join('\n');
});

/** The document with a value put in the place of another: well-formed, but not what the schema or the names allow. */
const document = parse(smallFile) as unknown;
const values: readonly unknown[] = [
  null,
  true,
  0,
  65535,
  70000,
  -1,
  1.5,
  '',
  'shop/api-0',
  'shop/nobody',
  '10.1.0.5',
  '10.1.0.0/16',
  '10.1.0.1/8',
  [],
  {},
  ...INHERITED_NAMES,
];
const replacement = fc.record({ at: fc.nat(200), value: fc.constantFrom(...values), key: fc.boolean() });
const replaced = fc
  .tuple(fc.array(replacement, { minLength: 1, maxLength: 2 }), fc.boolean())
  .map(([changes, json]) => {
    const changed = changes.reduce(changeDocument, document);
    return json ? JSON.stringify(changed) : stringify(changed);
  });

/** What is read holds what the text holds; what is refused is told by line and column, in a few lines. */
export const destinationFileTarget = fuzzTarget<string>({
  name: 'destination-file',
  file: 'destination/file/yaml-text.ts',
  inputs: fc.oneof(
    { weight: 4, arbitrary: edited },
    { weight: 4, arbitrary: replaced },
    { weight: 2, arbitrary: changedText(smallFile) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof(fc.constantFrom(...pieces, '\n', 'services', 'a'), fc.string({ maxLength: 3 })), {
          maxLength: 12,
        })
        .map((all) => all.join('')),
    },
  ),
  check: (text) =>
    readOrRefuse(
      {
        codes: ['file_invalid'],
        message: /^(line \d+, column \d+: [^\n]*expected [^\n]+\n?)+(and \d+ more)?$/,
      },
      () => read(Buffer.from(text)),
      (catalogue) => {
        const plain = parse(text) as { services?: object; workloads?: object } | null;
        const count = (table: object | undefined): number => Object.keys(table ?? {}).length;
        assert.deepEqual(catalogue.size, {
          services: count(plain?.services),
          workloads: count(plain?.workloads),
        });
      },
    ),
});

/** Walks to the place of that number, counted through the whole document, and puts the value there. */
function changeDocument(root: unknown, change: { at: number; value: unknown; key: boolean }): unknown {
  let left = change.at;
  const walk = (node: unknown): unknown => {
    if (left-- === 0) return change.value;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([name, value]) => {
        const renamed = change.key && left === 0 ? JSON.stringify(change.value) : name;
        return [renamed, walk(value)];
      }),
    );
  };
  return walk(root);
}
