import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { PublicKey } from '../../pki/public-key.ts';
import { signLeaf } from '../../pki/sign-leaf.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
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
    const leaf = signLeaf(issuer, {
      publicKey: PublicKey.of(generateKeyPair().publicKey),
      dnsName: identity.dnsName,
      uri: identity.spiffeId,
      notBefore: issuer.certificate.notBefore,
      notAfter: issuer.certificate.notAfter,
    });
    verifyChain({ leaf, intermediates: [issuer.certificate, ...issuer.chain], bundle, at, usage: 'both' });
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
