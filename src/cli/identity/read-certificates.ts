import { Certificate } from '../../pki/certificate.ts';
import { parsePem } from '../../pki/pem.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';
import { readSmallFile } from '../read-file.ts';

const DER_SEQUENCE = 0x30;

/**
 * The certificates of a file, in its order: PEM (other blocks, a private key say, are passed over unread) or one
 * certificate in DER. Throws `file_not_found`, `file_unreadable`, `no_certificate`, or pki's `certificate_malformed`.
 */
export async function readCertificates(file: string): Promise<Certificate[]> {
  const content = await readSmallFile(file);
  if (content[0] === DER_SEQUENCE && !content.includes('-----BEGIN ')) return [readDer(file, content)];
  const blocks = readPem(file, content);
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (certificates.length === 0) {
    const labels = [...new Set(blocks.map(({ label }) => label))];
    const got =
      labels.length > 0 ? `PEM with only ${labels.join(', ')}` : `${content.length} bytes that are neither`;
    throw cliErrors.error('no_certificate', `${file}: expected a certificate in PEM or DER, got ${got}`);
  }
  return certificates.map(({ der }, index) => {
    try {
      return Certificate.parse(der);
    } catch (cause) {
      const which = `certificate ${index + 1} of ${certificates.length}`;
      throw cliErrors.error('no_certificate', `${file}: ${which}: ${errorMessage(cause)}`, { cause });
    }
  });
}

/** The trust anchors of a bundle file. */
export async function readAnchors(file: string): Promise<TrustBundle> {
  const text = (await readSmallFile(file)).toString('utf8');
  try {
    return TrustBundle.parsePem(text);
  } catch (cause) {
    throw cliErrors.error(
      'no_certificate',
      `${file}: expected a bundle of trust anchors: ${errorMessage(cause)}`,
      { cause },
    );
  }
}

function readDer(file: string, content: Buffer): Certificate {
  try {
    return Certificate.parse(content);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw cliErrors.error(
      'no_certificate',
      `${file}: expected one certificate in DER, got something else: ${reason}`,
      { cause },
    );
  }
}

function readPem(file: string, content: Buffer): ReturnType<typeof parsePem> {
  try {
    return parsePem(content.toString('utf8'));
  } catch (cause) {
    throw cliErrors.error('no_certificate', `${file}: ${errorMessage(cause)}`, { cause });
  }
}
