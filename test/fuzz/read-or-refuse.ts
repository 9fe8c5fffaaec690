import assert from 'node:assert/strict';
import type { AppError } from '../../src/runtime/errors.ts';
import { isAppError } from '../../src/runtime/errors.ts';
import { accepted } from './target.ts';
import type { Outcome } from './target.ts';

/** A message is for one line of a log; only a file's problems take several, at most this many. */
const MAX_MESSAGE = 4000;

/** How a parser may refuse. */
export interface Refusals {
  readonly codes: readonly string[];
  /** Texts that no error may hold. */
  readonly secrets?: readonly string[];
  /** The form of a message, where it is not `expected ..., got ...`. */
  readonly message?: RegExp;
}

const EXPECTED_AND_GOT = /expected .+, got ./;

/** What a message holds when something else was printed than was meant. */
const SLIPS = /\[native code\]|\[object |\bundefined\b|\bNaN\b/;

/** Reads an input. What is read is judged by `judge`; what is refused must be refused in the agreed way. */
export function readOrRefuse<T>(refusals: Refusals, read: () => T, judge: (value: T) => void): Outcome {
  let value: T;
  try {
    value = read();
  } catch (error) {
    return checkRefusal(error, refusals);
  }
  judge(value);
  return accepted;
}

/** The code of an error that is one of the agreed ones, says what was expected and what came, and gives nothing away. */
export function checkRefusal(error: unknown, { codes, secrets = [], message }: Refusals): Outcome {
  if (!isAppError(error)) throw error;
  assert.ok(codes.includes(error.code), `expected one of ${codes.join(', ')}, got ${error.code}`);
  assert.match(error.message, message ?? EXPECTED_AND_GOT);
  assert.ok(error.message.length <= MAX_MESSAGE, `expected a short message, got ${error.message.length}`);
  assert.doesNotMatch(error.message.replaceAll('\n', ''), /\p{C}/u);
  assert.doesNotMatch(error.message, SLIPS);
  for (const secret of secrets)
    assert.ok(!wholeText(error).includes(secret), 'expected no secret in an error');
  return error.code;
}

/** Everything of an error that a log would show. */
function wholeText(error: AppError): string {
  const texts: string[] = [];
  for (let at: unknown = error; Error.isError(at); at = at.cause) texts.push(at.message);
  return texts.join('\n');
}
