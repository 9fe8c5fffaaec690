import { pathsToAnchors, type AnchorPath } from '../../pki/anchor-paths.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { vaultErrors } from './errors.ts';

/** A CA and what came along with it. */
export interface SigningCa {
  readonly certificate: Certificate;
  readonly others: readonly Certificate[];
}

/** The longest way from the CA to a published anchor; throws `vault_anchor_unknown` where there is none. */
export function pathOfCa({ certificate, others }: SigningCa, bundle: TrustBundle, at: Date): AnchorPath {
  try {
    const [longest] = pathsToAnchors({ leaf: certificate, intermediates: others, bundle, at, usage: 'ca' });
    if (longest !== undefined) return longest;
  } catch (cause) {
    const message = `expected the CA in Vault to lead to a trust anchor of the mesh: ${errorMessage(cause)}`;
    throw vaultErrors.error('vault_anchor_unknown', message, { cause });
  }
  throw new TypeError('expected a path or an error, got neither');
}
