import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { generateKeyPair } from '../../pki/keys.ts';
import { PublicKey } from '../../pki/public-key.ts';
import { signLeaf } from '../../pki/sign-leaf.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import { errorMessage, isAppError } from '../../runtime/errors.ts';
import type { Check, Finding } from './finding.ts';
import { passed, warned } from './finding.ts';
import { probeLifetimeMs, type ExaminationNeeds } from './needs.ts';
import { forbiddenProbes } from './probes.ts';

/**
 * Whether peers would take what this CA signs for another trust domain: tried here, with a leaf that goes nowhere.
 *
 * @param remedy what keeps such a CA to its names
 */
export function examineConstraint(
  check: Check,
  pair: CaKeyPair,
  { mesh, bundle, clock }: ExaminationNeeds,
  remedy: string,
): Finding {
  const [foreign] = forbiddenProbes(mesh);
  const dnsName = foreign?.names.dns ?? '';
  if (bundle === undefined) throw new TypeError('expected trust anchors');
  const at = clock.now();
  const leaf = signLeaf(pair, {
    publicKey: PublicKey.of(generateKeyPair().publicKey),
    dnsName,
    notBefore: at,
    notAfter: new Date(at.getTime() + probeLifetimeMs),
  });
  try {
    verifyChain({ leaf, intermediates: [pair.certificate, ...pair.chain], bundle, at, usage: 'both' });
  } catch (error) {
    if (isAppError(error)) return passed(check, errorMessage(error));
    throw error;
  }
  return warned(check, `a leaf for ${dnsName} verifies`, { concerns: 'ca nameConstraints', remedy });
}
