import { readFile } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';

import { Certificate } from '../pki/certificate.ts';
import type { Credentials } from '../pki/credentials.ts';
import { createCsr } from '../pki/csr.ts';
import { keyMatches } from '../pki/keys.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import { errorMessage } from '../runtime/errors.ts';
import { rpcErrors } from './errors.ts';
import type { CertifyRequest, CertifyResponse } from './identity-api.ts';

/** An accepted answer. */
export interface Certified {
  readonly credentials: Credentials;
  /** When the first certificate of the chain ends, or what the service said, whichever is sooner. */
  readonly validUntil: Date;
}

/** Asks for the DNS name, and for the SPIFFE ID too unless the service takes no URI. */
export function createRequest(
  { dnsName, spiffeId }: WorkloadIdentity,
  { token, key, withUri }: { token: Buffer; key: KeyObject; withUri: boolean },
): CertifyRequest {
  const certificateSigningRequest = createCsr({ key, dnsName, ...(withUri && { uri: spiffeId }) });
  return { identity: dnsName, token, certificateSigningRequest };
}

/** The token's bytes as they are, line end included. Throws `token_unreadable`, also when there is nothing in the file. */
export async function readToken(path: string, signal: AbortSignal): Promise<Buffer> {
  const token = await readFile(path, { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw rpcErrors.error('token_unreadable', `expected a token in ${path}: ${errorMessage(cause)}`, {
      cause,
    });
  });
  if (token.toString('latin1').trim() !== '') return token;
  throw rpcErrors.error('token_unreadable', `expected a token in ${path}, got an empty file`);
}

/**
 * Checks an answer as if anyone had sent it: our key, our names and no other, a chain to our anchors for both roles,
 * and an end in the future (contract 2.5). Throws `certificate_refused`.
 */
export function acceptAnswer(
  answer: CertifyResponse,
  {
    identity,
    key,
    bundle,
    now,
  }: { identity: WorkloadIdentity; key: KeyObject; bundle: TrustBundle; now: Date },
): Certified {
  try {
    const leaf = Certificate.parse(answer.leafCertificate);
    const intermediates = answer.intermediateCertificates.map((der) => Certificate.parse(der));
    if (!keyMatches(leaf, key))
      throw refused('expected a certificate for the key of the request, got one for another');
    checkNames(leaf, identity);
    const path = verifyChain({ leaf, intermediates, bundle, at: now, usage: 'both' });
    const validUntil = endOf(answer, path.slice(0, -1), now);
    // A peer has its anchors; it may need any of the others while anchors change.
    const chain = [leaf, ...intermediates.filter((each) => !each.subjectDer.equals(each.issuerDer))];
    return { credentials: { identity, leaf, chain, key, bundle }, validUntil };
  } catch (cause) {
    const message = `the identity service's answer is refused: ${errorMessage(cause)}`;
    throw rpcErrors.error('certificate_refused', message, { cause });
  }
}

function checkNames({ sans }: Certificate, { dnsName, spiffeId }: WorkloadIdentity): void {
  const others = sans.ip.length + sans.email.length + sans.other;
  const uris = sans.uri.filter((uri) => uri !== spiffeId);
  if (sans.dns.length === 1 && sans.dns[0] === dnsName && sans.uri.length <= 1 && uris.length + others === 0)
    return;
  const got = [...sans.dns, ...sans.uri, ...(others > 0 ? [`${others} names of other types`] : [])];
  throw refused(`expected the names ${dnsName} and perhaps ${spiffeId}, got ${got.join(', ') || 'none'}`);
}

function endOf(answer: CertifyResponse, chain: readonly Certificate[], now: Date): Date {
  if (answer.validUntil === undefined) throw refused('expected valid_until, got none');
  const ends = [answer.validUntil, ...chain.map(({ notAfter }) => notAfter)].map((end) => end.getTime());
  const end = new Date(Math.min(...ends));
  if (end > now) return end;
  throw refused(`expected an end after ${now.toISOString()}, got ${end.toISOString()}`);
}

function refused(message: string): Error {
  return rpcErrors.error('certificate_refused', message);
}
