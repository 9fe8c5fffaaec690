import type { Certificate } from '../../pki/certificate.ts';

/** What is told about one certificate; dates in ISO 8601, the fingerprint in lower-case hex. */
export interface CertificateView {
  readonly subject: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly issuer: string;
  readonly isCa: boolean;
  readonly key: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Negative once it has expired. */
  readonly remainingSeconds: number;
  readonly serial: string;
  readonly sha256: string;
}

export function describeCertificate(certificate: Certificate, at: Date): CertificateView {
  return {
    subject: certificate.subject,
    dnsNames: certificate.sans.dns,
    uris: certificate.sans.uri,
    issuer: certificate.issuer,
    isCa: certificate.isCa,
    key: certificate.publicKey.algorithm,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    remainingSeconds: Math.floor((certificate.notAfter.getTime() - at.getTime()) / 1000),
    serial: certificate.serial,
    sha256: certificate.fingerprint,
  };
}
