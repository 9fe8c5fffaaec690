import type { DerReader } from './der.ts';
import { TAG, context, readSequence } from './der.ts';
import { pkiErrors } from './errors.ts';
import type { Extension, KeyUsage } from './extensions.ts';
import {
  duplicateOid,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readExtensions,
  readKeyUsage,
  readOnly,
  readSubjectAltName,
  readSubjectKeyId,
} from './extensions.ts';
import type { GeneralNames } from './general-names.ts';
import { NO_NAMES } from './general-names.ts';
import type { NameConstraints } from './name-constraints.ts';
import { readNameConstraints } from './name-constraints.ts';
import { OID } from './oids.ts';

/** What the extensions of a certificate say. */
export interface CertificateExtensions {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly sans: GeneralNames;
  readonly nameConstraints: NameConstraints | undefined;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
  readonly unknownCritical: readonly string[];
}

type Draft = { -readonly [K in keyof CertificateExtensions]: CertificateExtensions[K] };

/** Each extension that is understood, and where its value goes. Critical ones outside this table are fatal to a chain. */
const UNDERSTOOD: Readonly<Record<string, (into: Draft, value: Buffer) => void>> = {
  [OID.basicConstraints]: (into, value) => void Object.assign(into, readBasicConstraints(value)),
  [OID.keyUsage]: (into, value) => void (into.keyUsage = readKeyUsage(value)),
  [OID.extendedKeyUsage]: (into, value) => void (into.extendedKeyUsage = readExtendedKeyUsage(value)),
  [OID.subjectAltName]: (into, value) => void (into.sans = readSubjectAltName(value)),
  [OID.nameConstraints]: (into, value) =>
    void (into.nameConstraints = readNameConstraints(readSequence(value, 'name constraints'))),
};

/** Extensions that nothing here needs but rustls looks at: what is in them must at least begin as it should. */
const LOOKED_AT: Readonly<Record<string, number>> = {
  [OID.crlDistributionPoints]: TAG.sequence,
  [OID.signedCertificateTimestamps]: TAG.octetString,
};

/** Reads the rest of the signed part: `[3]` with the extensions, or nothing. Duplicates are refused (RFC 5280 4.2). */
export function readCertificateExtensions(reader: DerReader): CertificateExtensions {
  const wrapped = reader.optional(context(3, true));
  if (wrapped === undefined) return draft();
  const inner = reader.into(wrapped, 'extensions');
  const extensions = readExtensions(inner.inside('extensions'));
  inner.end();
  const duplicate = duplicateOid(extensions);
  if (duplicate !== undefined) {
    throw pkiErrors.error('certificate_malformed', `expected each extension once, got ${duplicate} twice`);
  }
  const found = draft();
  for (const extension of extensions) take(found, extension);
  return found;
}

function take(found: Draft, { oid, critical, value }: Extension): void {
  const understood = UNDERSTOOD[oid];
  const lookedAt = LOOKED_AT[oid];
  if (lookedAt !== undefined) readOnly(value, lookedAt, `extension ${oid}`);
  if (understood !== undefined) understood(found, value);
  // Key identifiers only help to find an issuer and must not be critical (RFC 5280 4.2.1.1): then they are not understood.
  else if (critical) found.unknownCritical = [...found.unknownCritical, oid];
  else if (oid === OID.subjectKeyIdentifier) found.subjectKeyId = readSubjectKeyId(value);
  else if (oid === OID.authorityKeyIdentifier) found.authorityKeyId = readAuthorityKeyId(value);
}

function draft(): Draft {
  return {
    isCa: false,
    pathLength: undefined,
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    sans: NO_NAMES,
    nameConstraints: undefined,
    subjectKeyId: undefined,
    authorityKeyId: undefined,
    unknownCritical: [],
  };
}
