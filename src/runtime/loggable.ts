import { types } from 'node:util';
import { errorCode, errorMessage } from './errors.ts';

/** Deeper values, further entries and longer texts are left out: a record must stay small whatever is logged. */
const maxDepth = 6;
const maxEntries = 100;
const maxTextLength = 4096;
const maxCauses = 8;

/** A field whose name ends in one of these words is a secret, unless the word before it says public. */
const secretWords = new Set([
  'token',
  'jwt',
  'bearer',
  'key',
  'apikey',
  'privatekey',
  'credential',
  'csr',
  'password',
  'passwd',
  'passphrase',
  'authorization',
  'secret',
  'cookie',
]);

/** Most names have none of these in them, and need no closer look. */
const secretPart = new RegExp([...secretWords].join('|'), 'i');

const privateKeyPem = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const jsonWebToken = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)*/g;
const urlPassword = /(:\/\/[^\s/?#@:]*:)[^\s/?#@]+@/g;

/** What one of the three cannot be without: most texts hold none of it, and searching for these is cheap. */
const secretMarks = ['-----BEGIN ', 'eyJ', '://'];

const redacted = '[redacted]';

/**
 * The fields of a log record as plain JSON values: secrets cut out by name (`token`, `accessToken`, `private_key`) and
 * by shape (private keys in PEM, JSON web tokens, passwords in URLs), errors as `{code, message, causes}`, bytes as
 * their count. Never throws, also for cyclic values and throwing getters.
 */
export function loggable(fields: object): Record<string, unknown> {
  const copy = plain(fields, []);
  return typeof copy === 'object' && copy !== null && !Array.isArray(copy)
    ? (copy as Record<string, unknown>)
    : { value: copy };
}

function plain(value: unknown, above: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
      return plainText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return value.toString();
    case 'symbol':
    case 'function':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : plainObject(value, above);
    case 'boolean':
    case 'undefined':
      return value;
  }
}

function plainText(text: string): string {
  const cut =
    text.length > maxTextLength ? `${text.slice(0, maxTextLength)}... (${text.length} characters)` : text;
  if (!secretMarks.some((mark) => cut.includes(mark))) return cut;
  return cut
    .replace(privateKeyPem, redacted)
    .replace(jsonWebToken, redacted)
    .replace(urlPassword, `$1${redacted}@`);
}

function plainObject(value: object, above: readonly object[]): unknown {
  if (above.includes(value)) return '[circular]';
  if (above.length >= maxDepth) return '[too deep]';
  try {
    return plainKnown(value, [...above, value]);
  } catch {
    // A getter, a proxy or a toJSON of the value threw: the record is worth more than this field.
    return '[unreadable]';
  }
}

function plainKnown(value: object, path: readonly object[]): unknown {
  if (Error.isError(value)) return plainError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return plainList(value, path);
  if (types.isSet(value)) return plainList([...value], path);
  if (types.isMap(value))
    return plainEntries(
      [...value].map(([name, item]) => [String(name), item]),
      path,
    );
  if (hasToJson(value)) return plain(value.toJSON(), path);
  return plainEntries(Object.entries(value), path);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function plainList(items: readonly unknown[], path: readonly object[]): unknown[] {
  const shown = items.slice(0, maxEntries).map((item) => plain(item, path));
  return items.length > maxEntries ? [...shown, `[${items.length - maxEntries} more]`] : shown;
}

function plainEntries(
  entries: readonly (readonly [string, unknown])[],
  path: readonly object[],
): Record<string, unknown> {
  return Object.fromEntries(
    entries
      .slice(0, maxEntries)
      .map(([name, item]) => [name, isSecret(name, item) ? redacted : plain(item, path)]),
  );
}

function isSecret(name: string, value: unknown): boolean {
  if (value === undefined || value === null || !secretPart.test(name)) return false;
  const words = wordsOf(name);
  const last = words.at(-1) ?? '';
  return (secretWords.has(last) || secretWords.has(last.replace(/s$/, ''))) && words.at(-2) !== 'public';
}

/** `accessToken`, `access_token` and `ACCESS-TOKEN` are the same two words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

function plainError(error: Error): Record<string, unknown> {
  const code = errorCode(error);
  const causes = causesOf(error).map((cause) => plainText(errorMessage(cause)));
  return {
    ...(code !== undefined && { code }),
    message: plainText(errorMessage(error)),
    ...(causes.length > 0 && { causes }),
  };
}

function causesOf(error: Error): unknown[] {
  const causes: unknown[] = [];
  for (let at: unknown = error.cause; at !== undefined && causes.length < maxCauses;) {
    causes.push(at);
    at = Error.isError(at) ? at.cause : undefined;
  }
  return causes;
}
