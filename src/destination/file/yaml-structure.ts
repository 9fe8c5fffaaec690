import { isAlias, isMap, isNode, isPair, isScalar, isSeq, visit } from 'yaml';
import type { Document, Node, YAMLMap } from 'yaml';

import { quoted } from '../../runtime/quoted.ts';
import type { FieldPath } from './problems.ts';

/** Something wrong with a text that the parser has read without complaint. */
export interface StructureFlaw {
  /** Where in the text. */
  readonly offset: number;
  readonly path: FieldPath;
  readonly message: string;
}

/** Keys that their mapping had before, and aliases of anchors that it had not. */
export function structureFlaws(document: Document.Parsed): StructureFlaw[] {
  const flaws: StructureFlaw[] = [];
  const anchors = new Set<string>();
  visit(document, (_, node, above) => {
    if (isAlias(node)) {
      if (anchors.has(node.source)) return;
      const message = `expected an anchor ${quoted(node.source)} before its alias, got none`;
      flaws.push({ offset: startOf(node), path: pathOf([...above, node]), message });
    } else if (isNode(node)) {
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (isMap(node)) flaws.push(...repeatedKeys(node, above));
    }
  });
  return flaws;
}

function* repeatedKeys(map: YAMLMap, above: readonly unknown[]): Generator<StructureFlaw> {
  const seen = new Set<unknown>();
  for (const pair of map.items) {
    const { key } = pair;
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) {
      const message = 'expected each key once, got it again';
      yield { offset: startOf(key), path: pathOf([...above, map, pair]), message };
    }
    seen.add(key.value);
  }
}

/** The steps from the top of the text through these nodes, each of which holds the next. */
function pathOf(nodes: readonly unknown[]): FieldPath {
  return nodes.flatMap((node, i): (string | number)[] => {
    if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
    return isSeq(node) ? [node.items.indexOf(nodes[i + 1])] : [];
  });
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
