import { Certificate } from '../pki/certificate.ts';
import { isAppError } from '../runtime/errors.ts';

/** What issuers call their CA may be a bundle of whatever they know. */
const maxCount = 16;

/**
 * The certificates of a PEM text that may help to find a way up and that nothing depends on alone: none where it cannot be
 * read.
 */
export function readableCertificates(pem: string): readonly Certificate[] {
  try {
    return Certificate.parsePem(pem).slice(0, maxCount);
  } catch (error) {
    if (isAppError(error)) return [];
    throw error;
  }
}
