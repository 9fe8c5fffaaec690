import { sign } from 'node:crypto';
import type { KeyPair } from '../../support/certificate-builder.ts';
import { ed25519, mersenneRsa } from './fixed-keys.ts';

/** Stands wherever a token has a value of its own: no error may hold it. */
export const MARKER = 'Zq9Marker';

export const tokenNow = new Date('2026-06-01T12:00:00Z');
const seconds = tokenNow.getTime() / 1000;

export const goodHeader = { alg: 'EdDSA', kid: 'ed' };
export const goodClaims = {
  iss: 'https://tokens.example',
  sub: `vm-${MARKER}`,
  aud: ['identity.l5d.io'],
  iat: seconds,
  nbf: seconds,
  exp: seconds + 3600,
  'kubernetes.io': { pod: { name: 'web-0', uid: '1' }, node: { name: 'node-a' } },
};

const keys: Readonly<Record<string, KeyPair>> = { ed: ed25519('tokens'), rsa: mersenneRsa() };

export const jwks = {
  keys: [
    { ...keys['ed']!.publicKey.export({ format: 'jwk' }), kid: 'ed', alg: 'EdDSA', use: 'sig' },
    { ...keys['rsa']!.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256', use: 'sig' },
  ],
};

/** A token around any texts, signed as its key id says, with the Ed25519 key unless it says `rsa`. */
export function tokenOf(header: string, claims: string, keyId = 'ed'): string {
  const input = `${encoded(header)}.${encoded(claims)}`;
  const key = (keys[keyId] ?? keys['ed']!).privateKey;
  const signature = sign(keyId === 'rsa' ? 'sha256' : null, Buffer.from(input), key);
  return `${input}.${signature.toString('base64url')}`;
}

export const goodToken = tokenOf(JSON.stringify(goodHeader), JSON.stringify(goodClaims));
export const goodRsaToken = tokenOf(
  JSON.stringify({ alg: 'RS256', kid: 'rsa' }),
  JSON.stringify(goodClaims),
  'rsa',
);

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}
