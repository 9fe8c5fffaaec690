import { isAppError } from '../../runtime/errors.ts';
import { readCaMaterial } from '../local/ca-material.ts';
import { decodeCa, verifyCa } from '../local/ca-candidate.ts';
import type { CaTexts } from '../local/secret-source.ts';
import { examinedEnd } from './ca-end.ts';
import { failure } from './failure.ts';
import { skipped, type Check, type Finding } from './finding.ts';
import { examineConstraint } from './foreign-leaf.ts';
import type { ExaminationNeeds } from './needs.ts';

const signs: Check = { check: 'ca.sign', title: 'the CA signs what peers take' };
const bound: Check = { check: 'ca.names', title: 'the CA signs for no other trust domain' };

export interface ExaminedCa {
  /** For people: `the Secret kedge/kedge-issuer`. */
  readonly where: string;
  readonly texts: CaTexts;
  /** What keeps such a CA to its names; not looked at where undefined. */
  readonly constrainedBy?: string;
}

/** A CA whose key is at hand, as the identity service would judge it: with a leaf signed on trial, which goes nowhere. */
export function examineCa({ where, texts, constrainedBy }: ExaminedCa, needs: ExaminationNeeds): Finding[] {
  const { bundle, clock, mesh } = needs;
  if (bundle === undefined) return [skipped(signs, 'there are no trust anchors to verify it with')];
  const now = clock.now();
  try {
    const pair = decodeCa(
      readCaMaterial(where, (name) => texts[name]),
      bundle,
    );
    const ca = verifyCa(pair, { bundle, now, identity: mesh.identity });
    const { label, fingerprint } = pair.certificate;
    const first = examinedEnd(signs, `${label} (${fingerprint})`, ca, now);
    return constrainedBy === undefined
      ? [first]
      : [first, examineConstraint(bound, pair, needs, constrainedBy)];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [failure(signs, error, 'ca')];
  }
}
