import type { AppError } from '../../runtime/errors.ts';
import { quoted } from '../../runtime/quoted.ts';
import { destinationErrors } from '../errors.ts';

/** The way from the top of the file to a field. */
export type FieldPath = readonly (string | number)[];

/** Where in the text a field is, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The way back from a field to its place in the text. */
export interface LocatedText {
  locate(path: FieldPath, part: 'key' | 'value'): Position;
}

/** One thing wrong with the file. */
export interface FileProblem {
  readonly position: Position;
  /** As an engineer would write it: `services.shop/api.ports.7000.endpoints[0]`; empty for the file as a whole. */
  readonly field: string;
  /** A sentence that begins with "expected". */
  readonly message: string;
}

const MAX_SHOWN = 10;

/** Beyond these, problems are only counted: finding the place of each of thousands would take seconds. */
const MAX_LOCATED = 200;

/** Gathers what is wrong, so that one look at the message mends the whole file. */
export class Problems {
  readonly #text: LocatedText;
  readonly #found: FileProblem[] = [];
  #unplaced = 0;

  constructor(text: LocatedText) {
    this.#text = text;
  }

  /** `part` says whether the name of the field is at fault or what stands in it. */
  add(path: FieldPath, message: string, part: 'key' | 'value' = 'value'): void {
    if (this.#found.length >= MAX_LOCATED) this.#unplaced += 1;
    else this.#found.push({ position: this.#text.locate(path, part), field: fieldText(path), message });
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  /** All of them as one `file_invalid`. */
  error(): AppError {
    return fileError(this.#found, this.#unplaced);
  }
}

/**
 * The one error of a file that cannot be used; the first problems in the order of the text, one to a line, and how
 * many there are besides. `unplaced` counts those that are not among `problems`.
 */
export function fileError(problems: readonly FileProblem[], unplaced = 0): AppError {
  const sorted = problems.toSorted(
    (a, b) => a.position.line - b.position.line || a.position.column - b.position.column,
  );
  const lines = sorted.slice(0, MAX_SHOWN).map(problemText);
  const more = sorted.length - lines.length + unplaced;
  if (more > 0) lines.push(`and ${more} more`);
  return destinationErrors.error('file_invalid', lines.join('\n'));
}

function problemText({ position, field, message }: FileProblem): string {
  const where = `line ${position.line}, column ${position.column}: `;
  return field === '' ? `${where}${message}` : `${where}${field}: ${message}`;
}

/** As an engineer would write it; a key that is no plain word stands in quotes. */
export function fieldText(path: FieldPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = /^[\w./*~-]{1,320}$/.test(step) ? step : quoted(step);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** A value from the file for a message: short, on one line, and safe for a list that contains itself. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return value === null ? 'nothing' : 'a mapping';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`;
}
