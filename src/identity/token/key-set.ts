import { KeyObject } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, type JWK } from 'jose';
import { identityErrors } from '../errors.ts';
import type { JsonObject } from './compact-token.ts';
import { parseUniqueJson } from './unique-json.ts';

/** Far above what any issuer publishes while it rotates its keys. */
const maxKeys = 100;
const minRsaBits = 2048;
/** Members of a private or shared key (RFC 7518, section 6): `d` of RSA, EC and OKP, `k` of symmetric ones. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const publicTypes = ['RSA', 'EC', 'OKP'];

/** The public keys of a token issuer, by key id. */
export class KeySet {
  readonly #keys: readonly JWK[];
  readonly #resolve: ReturnType<typeof createLocalJWKSet>;
  /** The keys that were asked for, by the form in which jose keeps them. */
  readonly #made = new WeakMap<CryptoKey, KeyObject>();

  private constructor(keys: readonly JWK[]) {
    this.#keys = keys;
    this.#resolve = createLocalJWKSet({ keys: [...keys] });
  }

  /**
   * Reads a JSON Web Key Set (RFC 7517). Keys of types that are not known here are left out, as the standard
   * wants it; one that is weak, or not public, makes the whole set suspect.
   *
   * @throws AppError `jwks_malformed`
   */
  static parse(text: string): KeySet {
    let parsed: unknown;
    try {
      parsed = parseUniqueJson(text);
    } catch {
      // The parser's message quotes the text, in which a private key may stand by mistake.
      throw malformed('JSON with each name once', `${text.length} characters of another form`);
    }
    const keys = membersOf(parsed).filter((key) => publicTypes.includes(key.kty ?? ''));
    if (keys.length === 0) throw malformed('at least one RSA, EC or OKP key', 'none');
    return new KeySet(keys);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Whether a key with this id is here; a token without an id can only mean a key that is the only one. */
  has(keyId: string | undefined): boolean {
    return keyId === undefined || this.#keys.some((key) => key.kid === keyId);
  }

  /** The one key that a token's header can mean; rejects as jose does where there is none, or more than one. */
  async keyFor(algorithm: string, keyId: string | undefined): Promise<KeyObject> {
    const found = await this.#resolve({ alg: algorithm, ...(keyId !== undefined && { kid: keyId }) });
    const key = this.#made.get(found) ?? KeyObject.from(found);
    this.#made.set(found, key);
    return key;
  }
}

function membersOf(parsed: unknown): JWK[] {
  const { keys } = (parsed ?? {}) as Partial<JSONWebKeySet>;
  if (!Array.isArray(keys)) throw malformed('an object with a list "keys"', 'something else');
  if (keys.length > maxKeys) throw malformed(`at most ${maxKeys} keys`, `${keys.length}`);
  return keys.map((key: unknown, index) => checkKey(key, index));
}

function checkKey(key: unknown, index: number): JWK {
  if (typeof key !== 'object' || key === null) throw malformed('each key to be an object', `keys[${index}]`);
  const members = key as JsonObject;
  const secret = privateMembers.find((name) => name in members);
  if (secret !== undefined || members['kty'] === 'oct') {
    throw malformed(
      'public keys only',
      `a private or shared key in keys[${index}]; replace that key, it is known now`,
    );
  }
  const { n } = members;
  if (members['kty'] === 'RSA' && (typeof n !== 'string' || rsaBits(n) < minRsaBits)) {
    throw malformed(`RSA keys of at least ${minRsaBits} bits`, `a shorter one in keys[${index}]`);
  }
  return members;
}

function rsaBits(modulus: string): number {
  const bytes = Buffer.from(modulus, 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24);
}

function malformed(expected: string, got: string): Error {
  return identityErrors.error('jwks_malformed', `expected a key set with ${expected}, got ${got}`);
}
