import { pathsToAnchors } from '../../pki/anchor-paths.ts';
import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { parseCaKeyPair } from '../../pki/ca-key-pair.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { PublicKey } from '../../pki/public-key.ts';
import { signLeaf } from '../../pki/sign-leaf.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import type { WorkloadIdentity } from '../../pki/workload-identity.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { issuerErrors } from '../errors.ts';
import type { IntermediateCa } from '../issuer.ts';
import type { CaMaterial } from './ca-material.ts';

/** What a CA has to stand up to before it signs for anybody. */
export interface CaTrial {
  readonly bundle: TrustBundle;
  readonly now: Date;
  /** A workload of the mesh, for the leaf that is signed on trial. */
  readonly identity: WorkloadIdentity;
}

/**
 * Puts a key pair together and checks that the CA is one, that the key is its own, and that both are of an
 * accepted kind. Certificates that are anchors are left out of the chain: peers have those.
 *
 * @throws AppError of the pki catalogue
 */
export function decodeCa(material: CaMaterial, bundle: TrustBundle): CaKeyPair {
  const pair = parseCaKeyPair(material.certificates, material.privateKey);
  return { ...pair, chain: pair.chain.filter((certificate) => !bundle.has(certificate)) };
}

/**
 * Decides whether leaves that this CA signs will be accepted: it is valid now, chains to an anchor, and a leaf it
 * signs verifies as a peer would verify it, under a name of this mesh.
 *
 * @throws AppError of the pki catalogue, or `issuer_name_not_permitted`
 */
export function verifyCa(pair: CaKeyPair, trial: CaTrial): IntermediateCa {
  const { certificate, chain } = pair;
  const { bundle, now } = trial;
  // Of several ways up the longest counts: an anchor that is about to go must not shorten what its successor signs.
  const [longest] = pathsToAnchors({
    ...{ leaf: certificate, intermediates: chain, bundle, at: now },
    usage: 'ca',
  });
  if (longest === undefined) throw new TypeError('expected a path or an error, got neither');
  const ca = { pair, notBefore: longest.notBefore, notAfter: longest.notAfter };
  signOnTrial(ca, trial);
  return ca;
}

function signOnTrial(
  { pair, notBefore, notAfter }: IntermediateCa,
  { bundle, now, identity }: CaTrial,
): void {
  const publicKey = PublicKey.of(generateKeyPair().publicKey);
  const { dnsName, spiffeId } = identity;
  const leaf = signLeaf(pair, { publicKey, dnsName, uri: spiffeId, notBefore, notAfter });
  const intermediates = [pair.certificate, ...pair.chain];
  try {
    verifyChain({ leaf, intermediates, bundle, at: now, usage: 'both' });
  } catch (cause) {
    const message = `expected a leaf for ${dnsName}, signed on trial, to verify: ${errorMessage(cause)}`;
    throw issuerErrors.error('issuer_name_not_permitted', message, { cause });
  }
}
