import { identityErrors } from '../errors.ts';
import { signatureAlgorithms } from './signature-schemes.ts';
import { parseUniqueJson } from './unique-json.ts';

/** Longer than any token of Kubernetes or of a cloud provider, short enough to be parsed without a thought. */
export const maxTokenLength = 16_384;

const knownForgeries: ReadonlyMap<string, string> = new Map([
  ['none', 'an unsigned one (none)'],
  ['HS256', 'a shared secret (HS256)'],
  ['HS384', 'a shared secret (HS384)'],
  ['HS512', 'a shared secret (HS512)'],
]);

/** A JSON object of a token; nothing about its members is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A token taken apart. Nothing in it has been verified. */
export interface CompactToken {
  readonly text: string;
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: JsonObject;
}

const threeParts = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Takes a token apart (RFC 7515, compact serialisation) and refuses, before any cryptography, what cannot be one
 * of ours. Keys that the header brings or points to (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
 *
 * @param algorithms `known`: those that can be verified here; `any`: also others, but never one that is a forger's
 * @throws AppError `token_malformed` or `token_refused`
 */
export function parseCompactToken(text: string, algorithms: 'known' | 'any' = 'known'): CompactToken {
  if (text.length > maxTokenLength) {
    throw malformed(`at most ${maxTokenLength} characters`, `${text.length}`);
  }
  if (!threeParts.test(text)) {
    throw malformed('three base64url parts joined by dots', `${text.length} characters of another form`);
  }
  const [headerPart = '', claimsPart = '', signature = ''] = text.split('.');
  const header = decodeObject('header', headerPart);
  const claims = decodeObject('claims', claimsPart);
  return { text, ...checkHeader(header, signature, algorithms), claims };
}

function checkHeader(
  header: JsonObject,
  signature: string,
  algorithms: 'known' | 'any',
): Pick<CompactToken, 'algorithm' | 'keyId'> {
  const { alg, kid, crit } = header;
  if (typeof alg !== 'string') throw malformed('a header that names its algorithm', 'none');
  checkAlgorithm(alg, algorithms);
  if (signature === '')
    throw identityErrors.error('token_refused', 'expected a signed token, got no signature');
  if (crit !== undefined) {
    throw identityErrors.error('token_refused', 'expected a header without critical extensions, got "crit"');
  }
  if (kid !== undefined && typeof kid !== 'string') throw malformed('a key id that is a text', typeof kid);
  return { algorithm: alg, keyId: kid };
}

function checkAlgorithm(algorithm: string, algorithms: 'known' | 'any'): void {
  const forgery = knownForgeries.get(algorithm);
  if (forgery === undefined && (algorithms === 'any' || signatureAlgorithms.includes(algorithm))) return;
  const expected = `expected a token signed with one of ${signatureAlgorithms.join(', ')}`;
  throw identityErrors.error('token_refused', `${expected}, got ${forgery ?? 'another algorithm'}`);
}

function decodeObject(part: string, encoded: string): JsonObject {
  let value: unknown;
  try {
    value = parseUniqueJson(utf8.decode(Buffer.from(encoded, 'base64url')));
  } catch {
    // The parser's message quotes what it read, and so is not passed on.
    throw malformed(`a ${part} part that is JSON with each name once`, 'something else');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`a ${part} part that is a JSON object`, 'another JSON value');
  }
  return value as JsonObject;
}

function malformed(expected: string, got: string): Error {
  return identityErrors.error('token_malformed', `expected a token with ${expected}, got ${got}`);
}
