import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, ParsedNode, YAMLError } from 'yaml';

import { errorMessage } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import type { FieldPath, FileProblem, LocatedText, Position } from './problems.ts';
import { fieldText, fileError } from './problems.ts';
import { structureFlaws } from './yaml-structure.ts';

/** A YAML text as plain values. */
export interface YamlText extends LocatedText {
  readonly value: unknown;
}

const MAX_BYTES = 16 * 1024 * 1024;

/** Expansions of one anchor: a snippet for each of many workloads, far from what a few lines could be blown up to. */
const MAX_ALIASES = 10_000;

const START: Position = { line: 1, column: 1 };

/**
 * Reads one YAML 1.2 document, without tags of other types. Keys are text whatever they look like, so that `7000`
 * and `"7000"` are the same key and given only once. Throws `file_invalid`, nothing else.
 */
export function parseYamlText(bytes: Uint8Array): YamlText {
  try {
    return parse(decodeUtf8(bytes));
  } catch (error) {
    // Nesting deep enough to exhaust the stack ends here too.
    if (Error.isError(error) && 'code' in error && error.code === 'file_invalid') throw error;
    throw fileError([
      { position: START, field: '', message: `expected well-formed YAML: ${quoted(errorMessage(error))}` },
    ]);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.byteLength > MAX_BYTES) {
    throw fileError([wholeFile(`expected at most ${MAX_BYTES} bytes, got ${bytes.byteLength}`)]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fileError([wholeFile('expected text in UTF-8, got other bytes')]);
  }
}

function parse(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.2',
    stringKeys: true,
    // Checked below: the parser compares each key with all before it, which takes seconds for thousands of workloads.
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  const flaws = [...document.errors, ...document.warnings].map((flaw) => syntaxProblem(flaw, lines));
  for (const { offset, path, message } of structureFlaws(document)) {
    flaws.push({ position: positionAt(lines, offset), field: fieldText(path), message });
  }
  if (flaws.length > 0) throw fileError(flaws);
  const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
  return { value, locate: (path, part) => positionAt(lines, offsetOf(document, path, part)) };
}

function syntaxProblem(flaw: YAMLError, lines: LineCounter): FileProblem {
  const message = `expected well-formed YAML: ${quoted(flaw.message)}`;
  return { position: positionAt(lines, flaw.pos[0]), field: '', message };
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Where the field begins; for one that is missing, where the nearest thing around it does. */
function offsetOf(document: Document.Parsed, path: FieldPath, part: 'key' | 'value'): number {
  let node: ParsedNode | null = document.contents;
  let offset = node?.range[0] ?? 0;
  for (const step of path) {
    const child = childOf(resolved(document, node), step);
    if (child === undefined) break;
    node = child.value;
    offset = (part === 'key' ? child.key : (child.value ?? child.key))?.range[0] ?? offset;
  }
  return offset;
}

function resolved(document: Document.Parsed, node: ParsedNode | null): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

interface Child {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
}

function childOf(node: unknown, step: string | number): Child | undefined {
  if (isMap<ParsedNode, ParsedNode | null>(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  const item = isSeq<ParsedNode>(node) && typeof step === 'number' ? node.items[step] : undefined;
  return item === undefined ? undefined : { key: item, value: item };
}

function wholeFile(message: string): FileProblem {
  return { position: START, field: '', message };
}
