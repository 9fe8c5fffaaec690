import type { Certificate } from '../pki/certificate.ts';
import { OID } from '../pki/oids.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { verifyChain } from '../pki/verify-chain.ts';
import { errorMessage } from '../runtime/errors.ts';
import { quoted } from '../runtime/quoted.ts';
import { issuerErrors } from './errors.ts';
import type { IssuedCertificate, IssueRequest } from './issuer.ts';

/** What was asked of an issuer and what it answered. */
export interface Answer {
  readonly request: IssueRequest;
  readonly issued: IssuedCertificate;
  readonly bundle: TrustBundle;
  readonly now: Date;
}

/** One thing that must be true of an answer; `fault` says what is wrong, or nothing. */
interface Rule {
  readonly name: string;
  readonly fault: (answer: Answer) => string | undefined;
}

/** A serial number that cannot be guessed or collide (CA/Browser Forum baseline: 64 random bits). */
const minSerialBits = 64;

const rules: readonly Rule[] = [
  { name: 'key', fault: keyFault },
  { name: 'names', fault: nameFault },
  { name: 'not-a-ca', fault: ({ issued }) => (issued.leaf.isCa ? 'expected a leaf, got a CA' : undefined) },
  { name: 'key-usage', fault: keyUsageFault },
  { name: 'extended-key-usage', fault: extendedKeyUsageFault },
  { name: 'serial', fault: serialFault },
  { name: 'lifetime', fault: lifetimeFault },
  { name: 'chain', fault: chainFault },
];

export const issuedRuleNames: readonly string[] = rules.map((rule) => rule.name);

/**
 * Looks at a certificate as if a stranger had made it. Nothing is taken on trust from the CA behind an issuer.
 *
 * @param broken told the name of the rule that the certificate breaks
 * @throws AppError `issued_certificate_refused`
 */
export function checkIssued(answer: Answer, broken: (rule: string) => void): void {
  for (const { name, fault } of rules) {
    const found = fault(answer);
    if (found === undefined) continue;
    broken(name);
    const message = `the certificate from the issuer breaks the rule "${name}": ${found}`;
    throw issuerErrors.error('issued_certificate_refused', message);
  }
}

function keyFault({ request, issued }: Answer): string | undefined {
  if (issued.leaf.publicKey.equals(request.csr.publicKey)) return undefined;
  return `expected the key of the signing request, got another (${issued.leaf.publicKey.algorithm})`;
}

function nameFault({ request, issued: { leaf } }: Answer): string | undefined {
  const { dns, uri, ip, email, other } = leaf.sans;
  const wanted = [request.dnsName, ...(request.uri === undefined ? [] : [request.uri])];
  const got = [...dns, ...uri];
  const others = ip.length + email.length + other;
  if (others === 0 && got.length === wanted.length && got.every((name, at) => name === wanted[at])) {
    return subjectFault(leaf, request.dnsName);
  }
  const shown = got.slice(0, 4).map(quoted).join(', ') || 'none';
  return `expected exactly ${wanted.join(', ')}, got ${shown}${others > 0 ? ` and ${others} of other kinds` : ''}`;
}

/** Common names count for nothing here, but other software may read them. */
function subjectFault({ subject }: Certificate, dnsName: string): string | undefined {
  const commonNames = [...subject.matchAll(/(?:^|[,+])CN=((?:\\.|[^\\,+])*)/g)].map(([, name = '']) => name);
  const other = commonNames.find((name) => name !== dnsName);
  return other === undefined ? undefined : `expected no other common name, got ${quoted(other)}`;
}

function keyUsageFault({ issued }: Answer): string | undefined {
  const usage = issued.leaf.keyUsage;
  if (usage?.has('digitalSignature') !== true) return 'expected digitalSignature, got none';
  const tooMuch = (['keyCertSign', 'cRLSign'] as const).find((one) => usage.has(one));
  return tooMuch === undefined ? undefined : `expected no right to sign certificates, got ${tooMuch}`;
}

function extendedKeyUsageFault({ issued }: Answer): string | undefined {
  const usage = issued.leaf.extendedKeyUsage ?? [];
  const wanted: readonly string[] = [OID.serverAuth, OID.clientAuth];
  if (usage.length === wanted.length && wanted.every((one) => usage.includes(one))) return undefined;
  return `expected serverAuth and clientAuth, got ${usage.slice(0, 8).join(', ') || 'none'}`;
}

function serialFault({ issued }: Answer): string | undefined {
  const bits = BigInt(`0x${issued.leaf.serial}`).toString(2).length;
  return bits >= minSerialBits ? undefined : `expected at least ${minSerialBits} bits, got ${bits}`;
}

function lifetimeFault({ request, issued, now }: Answer): string | undefined {
  const { notBefore, notAfter } = issued.leaf;
  if (notAfter > request.notAfter) {
    return `expected an end no later than ${request.notAfter.toISOString()}, got ${notAfter.toISOString()}`;
  }
  if (notBefore > now) return `expected it to be valid now, got a start at ${notBefore.toISOString()}`;
  return notAfter > now ? undefined : `expected some lifetime, got an end at ${notAfter.toISOString()}`;
}

/** The whole path is looked at: a leaf that outlives a certificate above it would die with that one, untold. */
function chainFault({ request, issued, bundle, now }: Answer): string | undefined {
  const { leaf, intermediates } = issued;
  try {
    const path = verifyChain({ leaf, intermediates, bundle, at: now, usage: 'both' });
    const shorter = path.find((certificate) => certificate.notAfter < leaf.notAfter);
    if (shorter === undefined) return undefined;
    return `expected an end no later than that of ${shorter.label}, got one for ${request.dnsName} beyond it`;
  } catch (error) {
    return `expected a chain to a published anchor: ${errorMessage(error)}`;
  }
}
