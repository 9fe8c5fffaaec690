import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a token of the demo says of itself; times in seconds from now. */
export interface TokenClaims {
  subject: string;
  audience: string;
  validForSeconds: number;
}

/** Stands where a platform's OIDC issuer stands: signs ES256 tokens and publishes its public key as a JWKS (RFC 7517). */
export class TokenIssuer {
  readonly url = 'https://tokens.demo.invalid';
  readonly #keyId = 'demo-1';
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;

  constructor() {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  /** The key set, as JSON text. */
  get jwks(): string {
    const key = { ...this.#publicKey.export({ format: 'jwk' }), kid: this.#keyId, alg: 'ES256', use: 'sig' };
    return JSON.stringify({ keys: [key] });
  }

  /** A signed token (RFC 7519) as compact text. */
  issue({ subject, audience, validForSeconds }: TokenClaims, now: Date): string {
    const issuedAt = Math.floor(now.getTime() / 1000) + Math.min(0, validForSeconds - 600);
    const expiresAt = Math.floor(now.getTime() / 1000) + validForSeconds;
    const header = base64url({ alg: 'ES256', kid: this.#keyId, typ: 'JWT' });
    const payload = base64url({
      iss: this.url,
      sub: subject,
      aud: [audience],
      iat: issuedAt,
      nbf: issuedAt,
      exp: expiresAt,
    });
    const signature = sign('sha256', Buffer.from(`${header}.${payload}`), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${header}.${payload}.${signature.toString('base64url')}`;
  }
}
