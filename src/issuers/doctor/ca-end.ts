import type { AnchorPath } from '../../pki/anchor-paths.ts';
import { passed, warned, type Check, type Finding } from './finding.ts';

const dayMs = 24 * 3_600_000;
/** Whatever replaces a CA has done so at a third of its life. */
const leftShare = 0.3;

/** Whether a CA that leads to an anchor will do so for a while. */
export function examinedEnd(
  check: Check,
  what: string,
  path: Pick<AnchorPath, 'notBefore' | 'notAfter'>,
  now: Date,
): Finding {
  const { notBefore, notAfter } = path;
  const leftMs = notAfter.getTime() - now.getTime();
  const left =
    leftMs >= 2 * dayMs ? `${Math.floor(leftMs / dayMs)} days` : `${Math.floor(leftMs / 3_600_000)} hours`;
  const seen = `${what}, until ${notAfter.toISOString()} (${left})`;
  if (leftMs >= (notAfter.getTime() - notBefore.getTime()) * leftShare) return passed(check, seen);
  return warned(check, `${seen}: no certificate outlives it`, {
    concerns: 'ca',
    remedy: 'Replace the CA under the same anchor before it ends: issuance stops with it.',
  });
}
