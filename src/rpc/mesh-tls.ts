import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

import type { Credentials } from '../pki/credentials.ts';
import { encodePrivateKey } from '../pki/keys.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';

/** The groups of contract 3.1 for the key exchange, the most wanted first; a server takes the first it has too. */
export const keyExchangeGroups = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384'] as const;
export type KeyExchangeGroup = (typeof keyExchangeGroups)[number];

/** TLS 1.3 with the suites of contract 3.1; ECDSA P-256 is what every leaf signs with. */
const parameters: SecureContextOptions = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  // A resumed session would outlive the certificate it began with, and the anchor behind it.
  secureOptions: constants.SSL_OP_NO_TICKET,
  // An anchor need not be self-signed; without this OpenSSL goes on looking for a root above it.
  allowPartialTrustChain: true,
};

/** Options for a TLS context that shows `own`, if anything, and verifies peers by `bundle`. */
export function secureContextOptions(
  own: Credentials | undefined,
  bundle: TrustBundle,
  groups: readonly KeyExchangeGroup[] = keyExchangeGroups,
): SecureContextOptions {
  const options = { ...parameters, ecdhCurve: groups.join(':'), ca: bundle.anchors.map(({ pem }) => pem) };
  if (own === undefined) return options;
  return {
    ...options,
    cert: own.chain.map(({ pem }) => pem).join(''),
    key: encodePrivateKey(own.key),
  };
}
