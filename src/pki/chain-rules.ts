import type { Certificate } from './certificate.ts';
import { pkiErrors } from './errors.ts';
import { isCaKeyAllowed } from './key-policy.ts';
import { OID } from './oids.ts';
import type { PublicKey } from './public-key.ts';

/** What a chain is wanted for: one role in TLS, both, or to sign such leaves as a CA. */
export type ChainUsage = 'server' | 'client' | 'both' | 'ca';

const SERVER = { oid: OID.serverAuth, name: 'serverAuth' };
const CLIENT = { oid: OID.clientAuth, name: 'clientAuth' };

const PURPOSES: Readonly<Record<ChainUsage, readonly { readonly oid: string; readonly name: string }[]>> = {
  server: [SERVER],
  client: [CLIENT],
  both: [SERVER, CLIENT],
  ca: [SERVER, CLIENT],
};

/** ECDSA digests are taken across P-256 and P-384, but not SHA-512: so does the contract's proxy (contract 3.1). */
const EC_DIGESTS: ReadonlySet<string | undefined> = new Set(['sha256', 'sha384']);

/** The rules that hold for every certificate of a chain: its time, its critical extensions, its purposes. */
export function checkAny(certificate: Certificate, at: Date, usage: ChainUsage): void {
  checkValidity(certificate, at);
  const [unknown] = certificate.unknownCriticalExtensions;
  if (unknown !== undefined) {
    throw pkiErrors.error(
      'chain_critical_extension',
      `expected only critical extensions that are understood, got ${unknown} in ${certificate.label}`,
    );
  }
  checkPurposes(certificate, usage);
}

/** The rules for the certificate at the bottom when it is a workload's. */
export function checkLeaf(certificate: Certificate): void {
  if (certificate.isCa) {
    throw pkiErrors.error(
      'chain_leaf_is_ca',
      `expected a workload certificate, got the CA ${certificate.label}`,
    );
  }
  if (certificate.keyUsage?.has('digitalSignature') === false) {
    throw pkiErrors.error(
      'chain_usage_not_allowed',
      `expected the key usage digitalSignature, got ${usages(certificate)} in ${certificate.label}`,
    );
  }
}

/** The rules for a certificate that issued another one, `casBelow` CAs standing between it and the leaf. */
export function checkCa(certificate: Certificate, casBelow: number): void {
  if (!certificate.isCa) {
    throw pkiErrors.error(
      'chain_not_ca',
      `expected an issuer with the CA flag, got ${certificate.label} without it`,
    );
  }
  if (certificate.keyUsage?.has('keyCertSign') === false) {
    throw pkiErrors.error(
      'chain_not_ca',
      `expected an issuer with the key usage keyCertSign, got ${usages(certificate)} in ${certificate.label}`,
    );
  }
  // Self-issued CAs count as well, which RFC 5280 6.1.4 would let pass: the contract's proxy counts them.
  if (certificate.pathLength !== undefined && casBelow > certificate.pathLength) {
    throw pkiErrors.error(
      'chain_path_too_long',
      `expected at most ${certificate.pathLength} CAs below ${certificate.label}, got ${casBelow}`,
    );
  }
}

/** Whether the algorithm of a signature and the key that made it are accepted at all, before any work is spent on it. */
export function checkAlgorithm(certificate: Certificate, issuerKey: PublicKey): void {
  const { kind, digest, name } = certificate.signatureAlgorithm;
  if (kind === undefined || (kind === 'EC' && !EC_DIGESTS.has(digest))) {
    throw pkiErrors.error(
      'chain_algorithm_not_allowed',
      `expected a signature by ECDSA with SHA-256 or SHA-384, Ed25519 or RSA PKCS #1 with SHA-2, got ${name} on ${certificate.label}`,
    );
  }
  if (!isCaKeyAllowed(issuerKey)) {
    throw pkiErrors.error(
      'chain_algorithm_not_allowed',
      `expected the issuer of ${certificate.label} to have a key of P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits, got ${issuerKey.algorithm}`,
    );
  }
}

function checkValidity(certificate: Certificate, at: Date): void {
  if (at.getTime() < certificate.notBefore.getTime()) {
    throw pkiErrors.error(
      'chain_not_yet_valid',
      `expected ${certificate.label} to be valid at ${iso(at)}, got a start at ${iso(certificate.notBefore)}`,
    );
  }
  if (at.getTime() > certificate.notAfter.getTime()) {
    throw pkiErrors.error(
      'chain_expired',
      `expected ${certificate.label} to be valid at ${iso(at)}, got an end at ${iso(certificate.notAfter)}`,
    );
  }
}

/** An extended key usage binds the certificate that has it and all below. `anyExtendedKeyUsage` does not count: rustls does not take it. */
function checkPurposes(certificate: Certificate, usage: ChainUsage): void {
  const allowed = certificate.extendedKeyUsage;
  const missing = PURPOSES[usage].find(({ oid }) => allowed?.includes(oid) === false);
  if (missing !== undefined) {
    throw pkiErrors.error(
      'chain_usage_not_allowed',
      `expected the extended key usage ${missing.name}, got ${allowed?.join(', ') ?? 'none'} in ${certificate.label}`,
    );
  }
}

function usages(certificate: Certificate): string {
  return [...(certificate.keyUsage ?? [])].join(', ');
}

function iso(date: Date): string {
  return date.toISOString();
}
