import fc from 'fast-check';
import type { Change } from './change.ts';
import { someChanges } from './change.ts';
import { changeBytes, changedBytes } from './change-bytes.ts';
import type { DerNode } from './der-tree.ts';
import { allNodes, readNodes, writeNodes } from './der-tree.ts';

/** What stands in place of a node; `all` are the nodes of the whole input, to take from. */
type Edit = (node: DerNode, change: Change, all: readonly DerNode[]) => readonly DerNode[];

const EDITS: readonly Edit[] = [
  () => [],
  (node) => [node, node],
  (node, { byte }) => [{ ...node, tag: byte }],
  (node, change) => [withContent(node, changeBytes(node.content, { ...change, at: change.byte }))],
  (node, change) => [withContent(node, changeBytes(node.content, { ...change, kind: change.length }))],
  (node) => [withContent(node, Buffer.alloc(0))],
  (node, { byte }, all) => [all[byte % all.length] ?? node],
  (node, { byte }, all) => [node, all[byte % all.length] ?? node],
  (node, { length }) => [nested(node, length + 1)],
  (node, { byte }) => [{ ...node, length: LENGTHS[byte % LENGTHS.length]! }],
  (node) => [{ ...node, parts: node.parts?.toReversed() }],
  (node, { byte, length }) => [
    { ...node, parts: node.parts && Array.from({ length: 8 * length + 1 }, (_, i) => pick(node, i + byte)) },
  ],
];

const LENGTHS = ['longer', 'longest', 'indefinite', 'less', 'more'] as const;

/** A little more than any parser under test takes; copies of copies would go far beyond it. */
const MOST_BYTES = 20_000;

/** Changes one element and mends the lengths around it, so that what is wrong is met deep inside. */
export function changeDer(bytes: Buffer, change: Change): Buffer {
  const nodes = readNodes(bytes);
  if (nodes === undefined || nodes.length === 0) return changeBytes(bytes, change);
  const all = allNodes(nodes);
  const chosen = all[change.at % all.length]!;
  const edit = EDITS[change.kind % EDITS.length]!;
  const changed = writeNodes(replaced(nodes, chosen, edit(chosen, change, all)));
  return changed.length <= MOST_BYTES ? changed : bytes;
}

/** Samples with changes to their elements, with changes to their bytes, as they are, and noise. */
export function changedDer(...samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const sample = fc.constantFrom(...samples.map((each) => Buffer.from(each)));
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc.tuple(sample, someChanges).map(([one, changes]) => changes.reduce(changeDer, one)),
    },
    { weight: 4, arbitrary: changedBytes(...samples) },
    { weight: 1, arbitrary: sample },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((noise) => Buffer.from(noise)) },
  );
}

function replaced(nodes: readonly DerNode[], chosen: DerNode, by: readonly DerNode[]): DerNode[] {
  return nodes.flatMap((node) => {
    if (node === chosen) return by;
    return node.parts === undefined ? [node] : [{ ...node, parts: replaced(node.parts, chosen, by) }];
  });
}

function withContent(node: DerNode, content: Buffer): DerNode {
  return { ...node, content, parts: undefined };
}

function nested(node: DerNode, levels: number): DerNode {
  return levels === 0
    ? node
    : { tag: 0x30, content: node.content, parts: [nested(node, levels - 1)], length: 'shortest' };
}

function pick({ parts = [] }: DerNode, index: number): DerNode {
  return (
    parts[index % parts.length] ?? { tag: 5, content: Buffer.alloc(0), parts: undefined, length: 'shortest' }
  );
}
