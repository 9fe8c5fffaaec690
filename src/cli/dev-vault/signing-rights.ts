import type { PkiPaths } from '../../issuers/vault/pki-paths.ts';

/** A role that signs for the mesh `cluster.local` with the control namespace `kedge`, and for nobody else (docs/issuers/vault-direct.md). */
export const signingRole = {
  key_type: 'ec',
  key_bits: 256,
  require_cn: false,
  use_csr_common_name: false,
  use_csr_sans: false,
  allowed_domains: ['serviceaccount.identity.kedge.cluster.local'],
  allow_subdomains: true,
  allow_wildcard_certificates: false,
  allow_localhost: false,
  allow_ip_sans: false,
  allowed_uri_sans: ['spiffe://cluster.local/ns/*'],
  key_usage: ['DigitalSignature'],
  server_flag: true,
  client_flag: true,
  max_ttl: '24h',
  no_store: true,
} as const;

/** A policy with the one call of the mode, and nothing else. */
export function signingPolicy(paths: PkiPaths, mode: 'direct' | 'intermediate'): string {
  const path = mode === 'direct' ? paths.sign : paths.signIntermediate;
  return `path "${path}" { capabilities = ["update"] }`;
}
