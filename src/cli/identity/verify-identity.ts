import type { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';

/** Whether a chain holds. `path` leads from the certificate to the anchor, as names. */
export type Verification =
  | { readonly state: 'not checked' }
  | { readonly state: 'verified'; readonly path: readonly string[] }
  | { readonly state: 'failed'; readonly code: string; readonly reason: string };

export interface VerifyIdentityOptions {
  certificates: readonly Certificate[];
  /** Without anchors nothing is checked. */
  anchors: TrustBundle | undefined;
  at: Date;
  /** How a workload's certificate is used: a file must serve for both sides, a server has shown one. */
  usage: 'server' | 'both';
  /** The name that a peer would insist on, compared exactly. */
  name?: string | undefined;
}

/**
 * Judges every workload certificate of a chain as a mesh peer would, with the others as its intermediates. Where there are
 * only CAs (a trust bundle, an issuer's file) each of them is judged.
 */
export function verifyIdentity(options: VerifyIdentityOptions): Verification {
  const { certificates, anchors, name } = options;
  if (anchors === undefined) return { state: 'not checked' };
  const workloads = certificates.filter((certificate) => !certificate.isCa);
  const subjects = workloads.length > 0 ? workloads : certificates;
  const verdicts = subjects.map((subject) => verifyOne(subject, anchors, options));
  const failed = verdicts.find(({ state }) => state === 'failed');
  if (failed !== undefined) return failed;
  const leaf = certificates[0];
  if (name !== undefined && leaf !== undefined && !leaf.sans.dns.includes(name)) {
    const shown = leaf.sans.dns.join(', ') || 'none';
    return { state: 'failed', code: 'name_mismatch', reason: `expected the DNS name ${name}, got ${shown}` };
  }
  return verdicts[0] ?? { state: 'not checked' };
}

function verifyOne(
  leaf: Certificate,
  bundle: TrustBundle,
  { certificates, at, usage }: VerifyIdentityOptions,
): Verification {
  try {
    const path = verifyChain({
      leaf,
      intermediates: certificates.filter((certificate) => certificate !== leaf),
      bundle,
      at,
      usage: leaf.isCa ? 'ca' : usage,
    });
    return { state: 'verified', path: path.map(nameOf) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { state: 'failed', code: error.code, reason: errorMessage(error) };
  }
}

/** The name a certificate is known by: its first DNS name, for a CA its subject. */
export function nameOf(certificate: Certificate): string {
  const [first] = certificate.isCa ? [] : certificate.sans.dns;
  return first ?? (certificate.subject || (certificate.sans.uri[0] ?? `serial ${certificate.serial}`));
}
