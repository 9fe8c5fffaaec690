import { verifyCa } from '../../issuers/local/ca-candidate.ts';
import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import type { MeshDomain } from '../../pki/workload-identity.ts';
import { isAppError } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';

export interface ProveIssuerOptions {
  issuer: CaKeyPair;
  mesh: MeshDomain;
  at: Date;
  /** File of the bundle that must carry it, for the message. */
  bundleFile: string;
  bundle: TrustBundle;
}

/**
 * Signs a certificate for a workload of the mesh, verifies it as a peer would and throws it away: what a path length, a
 * name constraint or an algorithm forbids comes out here and not in the mesh. Throws `bootstrap_unusable`.
 */
export function proveIssuer({ issuer, mesh, at, bundleFile, bundle }: ProveIssuerOptions): void {
  const identity = mesh.identity(mesh.controlNamespace, 'kedge-identity');
  try {
    verifyCa(issuer, { bundle, identity, now: at });
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    const name = issuer.certificate.subject;
    throw cliErrors.error(
      'bootstrap_unusable',
      `expected the certificates of the issuer ${name} to verify against ${bundleFile}: ${cause.message}`,
      { cause },
    );
  }
}
