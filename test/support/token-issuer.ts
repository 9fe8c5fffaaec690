import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { noteSecret } from '../secrets/run-record.ts';

export type TestAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';

type Members = Readonly<Record<string, unknown>>;

/** What to put into a token; every claim and header member can be replaced, or left out with `undefined`. */
export interface TestToken {
  readonly claims?: Members;
  readonly header?: Members;
}

/** Who signs tokens and when they begin; times are derived from `now`. */
export interface TokenIssuerOptions {
  readonly issuer?: string;
  readonly audience?: string;
  readonly keyId?: string;
  readonly algorithm?: TestAlgorithm;
  readonly now?: () => Date;
}

/** Signs tokens as a cluster or a cloud does, with node:crypto alone; and forges them in the ways attackers try. */
export class TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly keyId: string;
  readonly algorithm: TestAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly #now: () => Date;

  constructor(options: TokenIssuerOptions = {}) {
    this.issuer = options.issuer ?? 'https://tokens.example';
    this.audience = options.audience ?? 'identity.l5d.io';
    this.keyId = options.keyId ?? 'key-1';
    this.algorithm = options.algorithm ?? 'ES256';
    this.#now = options.now ?? (() => new Date());
    const { privateKey, publicKey } = keyPair(this.algorithm);
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /** The public key as a member of a JSON Web Key Set. */
  get jwk(): Members {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: this.keyId, alg: this.algorithm, use: 'sig' };
  }

  get jwks(): string {
    return jwksOf(this);
  }

  /** A token that is good for an hour. */
  sign(subject: string, token: TestToken = {}): string {
    const input = this.#input(subject, token);
    const signed = `${input}.${signature(this.algorithm, input, this.privateKey)}`;
    noteSecret('a token', signed);
    return signed;
  }

  /** The same with no signature at all. */
  unsigned(subject: string): string {
    return `${this.#input(subject, { header: { alg: 'none' } })}.`;
  }

  /** The same signed by a key of the forger's under this issuer's key id. */
  forged(subject: string): string {
    const input = this.#input(subject, {});
    return `${input}.${signature(this.algorithm, input, keyPair(this.algorithm).privateKey)}`;
  }

  /** The same with the public key taken for a shared secret. */
  confused(subject: string): string {
    const input = this.#input(subject, { header: { alg: 'HS256' } });
    const secret = this.publicKey.export({ type: 'spki', format: 'pem' });
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }

  /** A token around any header and claims, as texts. */
  signText(header: string, claims: string): string {
    const input = `${encode(header)}.${encode(claims)}`;
    return `${input}.${signature(this.algorithm, input, this.privateKey)}`;
  }

  #input(subject: string, { claims, header }: TestToken): string {
    const seconds = Math.floor(this.#now().getTime() / 1000);
    const all = {
      ...{ iss: this.issuer, sub: subject, aud: [this.audience] },
      ...{ iat: seconds, nbf: seconds, exp: seconds + 3600 },
      ...claims,
    };
    const head = { alg: this.algorithm, kid: this.keyId, ...header };
    return `${encode(JSON.stringify(head))}.${encode(JSON.stringify(all))}`;
  }
}

/** One key set of several issuers' keys. */
export function jwksOf(...issuers: readonly TokenIssuer[]): string {
  return JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) });
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function keyPair(algorithm: TestAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
  }
}

function signature(algorithm: TestAlgorithm, input: string, key: KeyObject): string {
  const data = Buffer.from(input);
  switch (algorithm) {
    case 'RS256':
      return sign('sha256', data, key).toString('base64url');
    case 'PS256':
      return sign('sha256', data, { key, padding: 6, saltLength: 32 }).toString('base64url');
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    case 'ES384':
      return sign('sha384', data, { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    case 'EdDSA':
      return sign(null, data, key).toString('base64url');
  }
}
