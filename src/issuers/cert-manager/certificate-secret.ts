import { caTextsOf, type CaTexts, type SecretData } from '../local/secret-source.ts';
import { readableCertificates } from '../readable-certificates.ts';

/**
 * What is kept of the Secret of a CA `Certificate`. `ca.crt` is never an anchor: it stays behind when the issuer changes, and is
 * whichever certificate stood highest in the CA's answer. That may be an intermediate which `tls.crt` lacks, so its
 * certificates count among those that may lead up to a published anchor.
 */
export function certificateTextsOf(secret: SecretData): CaTexts {
  const texts = caTextsOf(secret);
  const certificates = texts['tls.crt'];
  const more = readableCertificates(Buffer.from(secret.data?.['ca.crt'] ?? '', 'base64').toString('utf8'));
  if (certificates === undefined || more.length === 0) return texts;
  return { ...texts, 'tls.crt': [certificates.trimEnd(), ...more.map(({ pem }) => pem)].join('\n') };
}
