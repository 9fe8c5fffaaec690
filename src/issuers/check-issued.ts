import type { AnchorPath } from '../pki/anchor-paths.ts';
import { pathsToAnchors } from '../pki/anchor-paths.ts';
import type { Certificate } from '../pki/certificate.ts';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import { issuerErrors } from './errors.ts';
import type { Answer } from './issued-rules.ts';
import { leafRules } from './issued-rules.ts';
import type { IssuedCertificate } from './issuer.ts';

/** A certificate that has been looked at, with what peers need to verify it and nothing else. */
export interface CheckedCertificate extends IssuedCertificate {
  /** The published anchors that it chains to for its whole life; at least one. */
  readonly anchors: readonly Certificate[];
}

/** A rule and what it demands, for people. */
export interface RuleHelp {
  readonly name: string;
  readonly help: string;
}

/** What can be seen on the way from the certificate to the anchors: the search meets all of it at once. */
const chainRules: readonly RuleHelp[] = [
  {
    name: 'algorithm',
    help: 'Signed with ECDSA on P-256 or P-384, Ed25519, or RSA of 2048 bits and more by PKCS #1 v1.5, with SHA-2, all the way up.',
  },
  { name: 'extensions', help: 'No critical extension that is not understood, all the way up.' },
  {
    name: 'constraints',
    help: 'Within the name constraints of every CA above; those constrain DNS names only, as the verifier of Linkerd’s proxy takes no others.',
  },
  {
    name: 'chain',
    help: 'A path to a published anchor, on which everything is valid now and lasts as long as the leaf.',
  },
];

/** The rule for what a CA sent and nobody could read; the errors of reading it are its faults. */
export const formatRule: RuleHelp = {
  name: 'format',
  help: 'Well-formed certificates in strict DER or PEM, each extension once, a serial number that is not negative.',
};

/** All of them, in the order in which an answer meets them. */
export const issuedRules: readonly RuleHelp[] = [formatRule, ...leafRules, ...chainRules];

/** Rules by the code of the search; any other code is a fault of the chain as such. */
const ruleOfCode: Readonly<Record<string, string>> = {
  chain_algorithm_not_allowed: 'algorithm',
  chain_critical_extension: 'extensions',
  chain_name_constraint_unsupported: 'constraints',
  chain_name_not_permitted: 'constraints',
};

/** Subjects are as long as their CA likes. */
const maxFaultLength = 600;

/**
 * Looks at a certificate as if a stranger had made it. Nothing is taken on trust from the CA behind an issuer.
 *
 * Of the certificates beside the leaf those are given back that lie on a path to an anchor, each once and in the order of
 * the path: whatever order they came in, and whatever came with them, does no harm. A path to any one published anchor is
 * enough. While one anchor replaces another, peers that hold both take a leaf of either, and no CA could sign for both; what
 * leads to the other anchors, too, such as a CA that both have signed, goes along for peers that hold only those.
 *
 * @param broken told the name of the rule that the certificate breaks
 * @throws AppError `issued_certificate_refused`
 */
export function checkIssued(answer: Answer, broken: (rule: string) => void): CheckedCertificate {
  for (const { name, fault } of leafRules) {
    const found = fault(answer);
    if (found !== undefined) throw refused(name, found, broken);
  }
  const { leaf } = answer.issued;
  const paths = chainPaths(answer, broken);
  const lasting = paths.filter(({ notAfter }) => notAfter >= leaf.notAfter);
  if (lasting.length === 0) throw refused('chain', outlived(leaf, paths), broken);
  return { leaf, intermediates: above(paths), anchors: lasting.map(({ anchor }) => anchor) };
}

/** The error for a broken rule. */
export function refused(rule: string, fault: string, broken: (rule: string) => void, cause?: unknown): Error {
  broken(rule);
  const told = fault.length > maxFaultLength ? `${fault.slice(0, maxFaultLength)}...` : fault;
  const message = `the certificate from the issuer breaks the rule "${rule}": ${told}`;
  return issuerErrors.error('issued_certificate_refused', message, cause === undefined ? {} : { cause });
}

function chainPaths(
  { issued: { leaf, intermediates }, bundle, now }: Answer,
  broken: (rule: string) => void,
): readonly AnchorPath[] {
  try {
    return pathsToAnchors({ leaf, intermediates, bundle, at: now, usage: 'both' });
  } catch (cause) {
    const rule = ruleOfCode[errorCode(cause) ?? ''] ?? 'chain';
    throw refused(rule, `expected a chain to a published anchor: ${errorMessage(cause)}`, broken, cause);
  }
}

/** A leaf that outlives a certificate above it would die with that one, untold. */
function outlived({ notAfter }: Certificate, [longest]: readonly AnchorPath[]): string {
  const shorter = longest?.path.find((certificate) => certificate.notAfter < notAfter);
  const end = shorter?.notAfter.toISOString() ?? 'now';
  return `expected an end no later than ${end}, that of ${shorter?.label ?? 'the chain'}, got ${notAfter.toISOString()}`;
}

/** Never empty (contract 1.6): where the anchor itself signed, it stands for the issuer. */
function above(paths: readonly AnchorPath[]): readonly Certificate[] {
  const between = paths.flatMap(({ path }) => path.slice(1, -1));
  const unique = between.filter((one, at) => between.findIndex((other) => other.equals(one)) === at);
  return unique.length > 0 ? unique : paths.slice(0, 1).map(({ anchor }) => anchor);
}
