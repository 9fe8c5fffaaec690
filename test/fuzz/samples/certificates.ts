import { context } from '../../../src/pki/der.ts';
import { bitString, octetString, sequence, text, tlv } from '../../../src/pki/der-writer.ts';
import { encodeName } from '../../../src/pki/distinguished-name.ts';
import { OID } from '../../../src/pki/oids.ts';
import type { CertificateSpec } from '../../support/certificate-builder.ts';
import {
  basicConstraints,
  buildCertificate,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
  unknownExtension,
} from '../../support/certificate-builder.ts';
import { readNodes, writeNodes } from '../mutate/der-tree.ts';
import { ed25519, mersenneRsa, p256, signP256 } from './fixed-keys.ts';

/** The word of the P-256 key that signs the samples. */
export const caKeyWord = 'ca';

const leafNames = [
  generalName.dns('web.shop.serviceaccount.identity.kedge.cluster.local'),
  generalName.uri('spiffe://cluster.local/ns/shop/sa/web'),
];
const manyNames = [
  ...leafNames,
  generalName.email('a@b.example'),
  generalName.ip(10, 0, 0, 1),
  generalName.ip(...Array.from({ length: 16 }, (_, i) => i)),
  generalName.directory(encodeName('directory')),
];
const keyId = octetString(Buffer.alloc(20, 7));

/** Extensions of a CA with everything a CA may say. */
export const caExtensions: readonly Buffer[] = [
  basicConstraints(true, 1),
  keyUsage(5, 6),
  extension(OID.subjectKeyIdentifier, false, keyId),
  extension(OID.authorityKeyIdentifier, false, sequence(tlv(context(0, false), keyId.subarray(2)))),
  nameConstraints(true, {
    permitted: [generalName.dns('cluster.local'), generalName.dns('.example.org')],
    excluded: [generalName.dns('evil.cluster.local'), generalName.uri('.example')],
  }),
];

/** Extensions of a leaf with every kind of name. */
export const leafExtensions: readonly Buffer[] = [
  keyUsage(0, 2),
  extendedKeyUsage(OID.serverAuth, OID.clientAuth),
  subjectAltName(true, ...manyNames),
  unknownExtension(false),
  extension(OID.crlDistributionPoints, false, sequence()),
];

const spec: CertificateSpec = {
  issuerName: encodeName('fuzz root'),
  issuerKey: p256(caKeyWord).privateKey,
  subjectName: encodeName('fuzz root'),
  publicKey: p256(caKeyWord).publicKey,
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2036-01-01T00:00:00Z'),
  extensions: caExtensions,
  serial: Buffer.from('020101', 'hex'),
};

/** A CA signed by itself. */
export const caCertificate: Buffer = signedAgain(buildCertificate(spec));

/** A CA of every other kind of key, that ends after 2050, and a workload below the first. */
export const certificates: readonly Buffer[] = [
  caCertificate,
  signedAgain(
    buildCertificate({
      ...spec,
      subjectName: encodeName(),
      publicKey: p256('leaf').publicKey,
      serial: Buffer.from('020900ffeeddccbbaa9988', 'hex'),
      extensions: leafExtensions,
    }),
  ),
  signedAgain(
    buildCertificate({
      ...spec,
      publicKey: ed25519('ca').publicKey,
      notAfter: new Date('2055-06-01T00:00:00Z'),
    }),
  ),
  buildCertificate({
    ...spec,
    issuerKey: mersenneRsa().privateKey,
    publicKey: mersenneRsa().publicKey,
    subjectName: sequence(
      ...['C', 'O'].map((value, i) => relativeName(6 + 4 * i, value)),
      relativeName(3, 'rsa'),
    ),
  }),
  buildCertificate({ ...spec, issuerKey: ed25519('ca').privateKey, extensions: [basicConstraints(true)] }),
];

/** The same with a signature that is the same every time. */
export function signedAgain(signed: Buffer, word: string = caKeyWord): Buffer {
  const [outer] = readNodes(signed) ?? [];
  const [body, algorithm] = outer?.parts ?? [];
  if (body === undefined || algorithm === undefined) throw new Error('expected something signed');
  const content = writeNodes([body]);
  return sequence(content, writeNodes([algorithm]), bitString(signP256(word, content)));
}

function relativeName(type: number, value: string): Buffer {
  return tlv(0x31, sequence(tlv(0x06, Buffer.of(0x55, 0x04, type)), text(0x13, value)));
}
