import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readSequence } from '../../../src/pki/der.ts';
import {
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readExtensions,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyId,
} from '../../../src/pki/extensions.ts';
import { octetString, sequence } from '../../../src/pki/der-writer.ts';
import type { GeneralNames } from '../../../src/pki/general-names.ts';
import { readNameConstraints } from '../../../src/pki/name-constraints.ts';
import type { NameConstraints } from '../../../src/pki/name-constraints.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from '../../support/certificate-builder.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readNodes } from '../mutate/der-tree.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { caExtensions, leafExtensions } from '../samples/certificates.ts';
import { fuzzTarget } from '../target.ts';

const USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** Reads the value of an extension, and writes the whole of it anew where nothing is lost in reading. */
const READERS: readonly ((value: Buffer) => Buffer | undefined)[] = [
  (value) => {
    const { isCa, pathLength } = readBasicConstraints(value);
    return basicConstraints(isCa, pathLength);
  },
  (value) => keyUsage(...[...readKeyUsage(value)].map((usage) => USAGES.indexOf(usage))),
  (value) => extendedKeyUsage(...readExtendedKeyUsage(value)),
  (value) => subjectAltNameOf(readSubjectAltName(value), value),
  (value) => nameConstraintsOf(readNameConstraints(readSequence(value, 'name constraints'))),
  (value) => extension('2.5.29.14', false, octetString(readSubjectKeyId(value))),
  (value) => void readAuthorityKeyId(value),
  (value) => {
    const found = readExtensions(readSequence(value, 'extensions'));
    const all = sequence(...found.map(({ oid, critical, value: inner }) => extension(oid, critical, inner)));
    return extension('1.2.3', false, all);
  },
];

const samples = [...caExtensions, ...leafExtensions].map(valueOf);

interface Input {
  readonly value: Buffer;
  readonly reader: number;
}

/** A value that is read and has nothing in it that is not kept is written as the same bytes. */
export const extensionsTarget = fuzzTarget<Input>({
  name: 'extensions',
  file: 'pki/extensions.ts',
  inputs: fc.record({
    value: changedDer(...samples, sequence(...caExtensions), sequence(...leafExtensions)),
    reader: fc.nat(READERS.length - 1),
  }),
  check: ({ value, reader }) =>
    readOrRefuse(
      { codes: ['der_malformed'] },
      () => READERS[reader]!(value),
      (again) => {
        if (again !== undefined) assert.deepEqual(valueOf(again), value);
      },
    ),
});

/** Kinds in the order in which they stand, one after the other; undefined where they are mixed or others are among them. */
function subjectAltNameOf(names: GeneralNames, value: Buffer): Buffer | undefined {
  const tags = readNodes(value)?.[0]?.parts?.map(({ tag }) => tag) ?? [];
  assert.equal(
    tags.length,
    names.dns.length + names.uri.length + names.ip.length + names.email.length + names.other,
  );
  if (names.other > 0 || names.ip.length > 0 || new Set(tags).size > 1) return undefined;
  return subjectAltName(
    true,
    ...names.dns.map(generalName.dns),
    ...names.uri.map(generalName.uri),
    ...names.email.map(generalName.email),
  );
}

function nameConstraintsOf({ permittedDns, excludedDns, unsupported }: NameConstraints): Buffer | undefined {
  if (unsupported.length > 0) return undefined;
  return nameConstraints(true, {
    permitted: permittedDns?.map(generalName.dns),
    excluded: excludedDns.map(generalName.dns),
  });
}

/** What is inside the OCTET STRING, the last element of an extension. */
function valueOf(whole: Buffer): Buffer {
  return readNodes(whole)?.[0]?.parts?.at(-1)?.content ?? Buffer.alloc(0);
}
