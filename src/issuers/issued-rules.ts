import type { Certificate } from '../pki/certificate.ts';
import { OID } from '../pki/oids.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import { quoted } from '../runtime/quoted.ts';
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
  /** What the rule demands, for people. */
  readonly help: string;
  readonly fault: (answer: Answer) => string | undefined;
}

/** rustls takes a certificate message of at most 64 KiB, and no honest chain comes near it. */
const maxBytes = 60_000;
const maxIntermediates = 32;

/**
 * More than a counter of certificates ever reaches, and less than any random number has but one in sixteen million: CAs
 * that draw 64 bits, or the 63 of a positive number of eight octets, are as good here as those that draw 160.
 */
const minSerialBits = 40;

/** What can be seen in the certificate itself, in the order in which it is looked at. */
export const leafRules: readonly Rule[] = [
  {
    name: 'size',
    help: `At most ${maxIntermediates} certificates beside the leaf, ${maxBytes} bytes altogether.`,
    fault: sizeFault,
  },
  { name: 'key', help: 'The key of the signing request.', fault: keyFault },
  {
    name: 'names',
    help: 'Exactly the names asked for, the DNS name first, none of another kind, and no other common name.',
    fault: nameFault,
  },
  {
    name: 'not-a-ca',
    help: 'No CA flag.',
    fault: ({ issued }) => (issued.leaf.isCa ? 'expected a leaf, got a CA' : undefined),
  },
  {
    name: 'key-usage',
    help: 'digitalSignature; others do no harm, but for keyCertSign and cRLSign.',
    fault: keyUsageFault,
  },
  {
    name: 'extended-key-usage',
    help: 'serverAuth and clientAuth, and no other.',
    fault: extendedKeyUsageFault,
  },
  {
    name: 'serial',
    help: `At least ${minSerialBits} bits: a small number has been counted, and counters of several CAs or replicas collide.`,
    fault: serialFault,
  },
  {
    name: 'lifetime',
    help: 'Valid now, and no longer than asked for. A shorter life is taken, and told.',
    fault: lifetimeFault,
  },
];

function sizeFault({ issued: { leaf, intermediates } }: Answer): string | undefined {
  if (intermediates.length > maxIntermediates) {
    return `expected at most ${maxIntermediates} certificates beside the leaf, got ${intermediates.length}`;
  }
  const bytes = intermediates.reduce((sum, { der }) => sum + der.length, leaf.der.length);
  return bytes > maxBytes ? `expected at most ${maxBytes} bytes, got ${bytes}` : undefined;
}

function keyFault({ request, issued }: Answer): string | undefined {
  if (issued.leaf.publicKey.equals(request.csr.publicKey)) return undefined;
  return `expected the key of the signing request, got another (${issued.leaf.publicKey.algorithm})`;
}

function nameFault({ request, issued: { leaf } }: Answer): string | undefined {
  const { dnsFirst, dns, uri, ip, email, other } = leaf.sans;
  const wanted = [request.dnsName, ...(request.uri === undefined ? [] : [request.uri])];
  const got = [...dns, ...uri];
  const others = ip.length + email.length + other;
  if (others === 0 && got.length === wanted.length && got.every((name, at) => name === wanted[at])) {
    if (!dnsFirst) return `expected ${request.dnsName} first, got ${quoted(uri[0] ?? '')}`;
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
  return `expected serverAuth and clientAuth, got ${usage.slice(0, 8).map(quoted).join(', ') || 'none'}`;
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
  if (notBefore > now) {
    return `expected it to be valid now, got a start at ${notBefore.toISOString()}; compare the clocks`;
  }
  return notAfter > now ? undefined : `expected some lifetime, got an end at ${notAfter.toISOString()}`;
}
