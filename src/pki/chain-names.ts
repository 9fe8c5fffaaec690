import type { Certificate } from './certificate.ts';
import { pkiErrors } from './errors.ts';
import type { NameConstraints } from './name-constraints.ts';
import { inDnsSubtree, isDnsName } from './name-constraints.ts';

/** Comparing every name with every constraint is quadratic in what a peer sends; no honest chain needs a hundredth of this. */
const MAX_COMPARISONS = 100_000;

/** Counts comparisons over one verification. */
export interface NameBudget {
  comparisons: number;
}

/**
 * Enforces the name constraints of a CA on every certificate below it (RFC 5280 4.2.1.10). Constraints of other kinds than
 * DNS are refused whether or not such a name occurs: what cannot be checked must not look as if it had been.
 */
export function checkNames(ca: Certificate, below: readonly Certificate[], budget: NameBudget): void {
  const constraints = ca.nameConstraints;
  if (constraints === undefined) return;
  const [unsupported] = constraints.unsupported;
  if (unsupported !== undefined) {
    throw pkiErrors.error(
      'chain_name_constraint_unsupported',
      `expected DNS name constraints only, got one of kind ${unsupported} in ${ca.label}`,
    );
  }
  for (const certificate of below) {
    for (const name of certificate.sans.dns) checkName(name, certificate, ca, constraints, budget);
  }
}

function checkName(
  name: string,
  certificate: Certificate,
  ca: Certificate,
  { permittedDns, excludedDns }: NameConstraints,
  budget: NameBudget,
): void {
  budget.comparisons += excludedDns.length + (permittedDns?.length ?? 0);
  if (budget.comparisons > MAX_COMPARISONS) {
    throw pkiErrors.error(
      'chain_too_complex',
      `expected at most ${MAX_COMPARISONS} comparisons of names with constraints, got more`,
    );
  }
  // A wildcard stands for names inside and outside a subtree, so it can satisfy no constraint.
  const excluded = isDnsName(name) ? excludedDns.find((subtree) => inDnsSubtree(name, subtree)) : name;
  if (excluded !== undefined) refuse(certificate, name, `outside ${JSON.stringify(excluded)}`, ca);
  if (permittedDns !== undefined && !permittedDns.some((subtree) => inDnsSubtree(name, subtree))) {
    refuse(certificate, name, `inside ${permittedDns.map((each) => JSON.stringify(each)).join(' or ')}`, ca);
  }
}

function refuse(certificate: Certificate, name: string, expected: string, ca: Certificate): never {
  throw pkiErrors.error(
    'chain_name_not_permitted',
    `expected DNS names ${expected} below ${ca.label}, got ${JSON.stringify(name)} in ${certificate.label}`,
  );
}
