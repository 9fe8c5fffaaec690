import type { Csr } from '../pki/csr.ts';
import { checkLeafKey } from '../pki/key-policy.ts';
import { OID } from '../pki/oids.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import { errorMessage } from '../runtime/errors.ts';
import { quoted } from '../runtime/quoted.ts';
import { identityErrors } from './errors.ts';

/** One thing a signing request must satisfy; `fault` says what is wrong, or nothing. */
interface Rule {
  readonly name: string;
  readonly fault: (csr: Csr, identity: WorkloadIdentity) => string | undefined;
}

/**
 * In order: the key first, because verifying a signature with a key of any size is work that a stranger could
 * choose; then the proof that the sender has that key; then what the request asks for.
 */
const rules: readonly Rule[] = [
  { name: 'key', fault: keyFault },
  { name: 'self-signature', fault: signatureFault },
  { name: 'attributes', fault: attributeFault },
  { name: 'subject', fault: subjectFault },
  { name: 'dns-name', fault: dnsNameFault },
  { name: 'spiffe-id', fault: spiffeIdFault },
  { name: 'other-names', fault: otherNamesFault },
  { name: 'not-a-ca', fault: (csr) => (csr.asksForCa ? 'expected a leaf, got CA:TRUE' : undefined) },
  { name: 'extensions', fault: extensionFault },
];

export const csrRuleNames: readonly string[] = rules.map((rule) => rule.name);

/**
 * Accepts what Linkerd's proxy sends (one DNS name, also as common name) and what Kedge's does (the DNS name and the
 * SPIFFE ID, no subject), and nothing else. Only the key will reach the certificate; a request that asks for more
 * is refused all the same, since its sender believes to get it.
 *
 * @throws AppError `csr_refused`, which names the rule
 */
export function checkCsr(csr: Csr, identity: WorkloadIdentity): void {
  for (const { name, fault } of rules) {
    const found = fault(csr, identity);
    if (found === undefined) continue;
    throw identityErrors.error('csr_refused', `the signing request breaks the rule "${name}": ${found}`);
  }
}

function keyFault({ publicKey }: Csr): string | undefined {
  try {
    checkLeafKey(publicKey);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

function signatureFault(csr: Csr): string | undefined {
  return csr.verifySignature() ? undefined : 'expected a signature by the key it carries, got another';
}

function attributeFault({ unknownAttributes, duplicate }: Csr): string | undefined {
  if (duplicate !== undefined) return `expected each attribute and extension once, got ${duplicate} twice`;
  const [other] = unknownAttributes;
  return other === undefined ? undefined : `expected no attribute but the extension request, got ${other}`;
}

/** Empty, or the one common name that older software expects (contract 1.3). */
function subjectFault(csr: Csr, { dnsName }: WorkloadIdentity): string | undefined {
  if (csr.subjectTypes.length === 0 && csr.subjectRdnCount === 0) return undefined;
  if (csr.subjectTypes.length === 1 && csr.commonName === dnsName) return undefined;
  return `expected none, or the common name ${dnsName} alone, got ${quoted(csr.subject)}`;
}

function dnsNameFault({ sans: { dns } }: Csr, { dnsName }: WorkloadIdentity): string | undefined {
  if (dns.length === 1 && dns[0] === dnsName) return undefined;
  return `expected exactly ${dnsName}, got ${shown(dns)}`;
}

function spiffeIdFault({ sans: { uri } }: Csr, { spiffeId }: WorkloadIdentity): string | undefined {
  if (uri.length === 0 || (uri.length === 1 && uri[0] === spiffeId)) return undefined;
  return `expected ${spiffeId} or no URI, got ${shown(uri)}`;
}

function otherNamesFault({ sans: { ip, email, other } }: Csr): string | undefined {
  if (ip.length + email.length + other === 0) return undefined;
  return `expected no other kinds of names, got ${ip.length} IP, ${email.length} e-mail and ${other} others`;
}

function extensionFault({ extensionOids }: Csr): string | undefined {
  const other = extensionOids.find((oid) => oid !== OID.subjectAltName);
  return other === undefined ? undefined : `expected no extension but the alternative names, got ${other}`;
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, 3).map(quoted).join(', ');
  return names.length > 3 ? `${some} and ${names.length - 3} more` : some || 'none';
}
