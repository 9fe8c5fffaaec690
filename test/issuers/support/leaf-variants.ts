import { unsignedInteger } from '../../../src/pki/der-writer.ts';
import { encodeName } from '../../../src/pki/distinguished-name.ts';
import { OID } from '../../../src/pki/oids.ts';
import type { CertificateSpec } from '../../support/certificate-builder.ts';
import {
  buildCertificate,
  extendedKeyUsage,
  generalName,
  keyUsage,
  subjectAltName,
} from '../../support/certificate-builder.ts';
import type { TestCa } from '../../support/test-ca.ts';
import { keyPair, request } from './issue-request.ts';

/** The extensions of a leaf as it was asked for. */
export const honestExtensions: readonly Buffer[] = [
  keyUsage(0),
  extendedKeyUsage(OID.serverAuth, OID.clientAuth),
  subjectAltName(true, generalName.dns(request.dnsName), generalName.uri(request.uri ?? '')),
];

/** The bytes of a leaf as it was asked for, but for `spec`; what is wrong in them is wrong on purpose. */
export function leafBytes(ca: TestCa, spec: Partial<CertificateSpec> = {}): Buffer {
  return buildCertificate({
    issuerName: ca.certificate.subjectDer,
    issuerKey: ca.key,
    subjectName: encodeName(),
    publicKey: keyPair.publicKey,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    extensions: honestExtensions,
    ...spec,
  });
}

/** A serial number from its octets in hex, written as a positive one. */
export const serial = (hex: string): Buffer => unsignedInteger(Buffer.from(hex, 'hex'));
