import { Certificate } from '../../pki/certificate.ts';
import { readableCertificates } from '../readable-certificates.ts';
import { vaultErrors } from './errors.ts';
import { shownText } from './reason.ts';
import { fieldsOf } from './vault-client.ts';

/** What the PKI engine gives for a certificate that it has signed, or for an issuer. */
export interface PkiAnswer {
  readonly certificate: Certificate;
  /** Everything else that came along, in no order: the CA's certificate, those above it, roots; each once. */
  readonly others: readonly Certificate[];
  /** What the engine did otherwise than it was asked to. */
  readonly warnings: readonly string[];
}

/**
 * Reads the answer. The chain is taken as a bag: its order and its repetitions mean nothing, and `certificate` may hold a
 * whole bundle. What cannot be read in the chain, such as a root of version 1, is passed over.
 *
 * Throws `vault_answer_malformed`, or what is wrong with a certificate.
 */
export function pkiAnswer(answer: unknown, path: string): PkiAnswer {
  const { data, warnings } = fieldsOf(answer);
  const { certificate, ca_chain: chain, issuing_ca: issuing } = fieldsOf(data);
  const rest = Array.isArray(chain) ? (chain as unknown[]) : [chain];
  if (typeof certificate !== 'string' || certificate.trim() === '') {
    throw vaultErrors.error(
      'vault_answer_malformed',
      `expected a certificate in the answer to ${path}, got none`,
    );
  }
  const [first, ...more] = Certificate.parsePem(certificate);
  if (first === undefined) throw new TypeError('expected an error for a text without certificates');
  const above = [issuing, ...rest].filter((each) => typeof each === 'string').flatMap(readableCertificates);
  return {
    certificate: first,
    others: unique([...more, ...above], first),
    warnings: shownWarnings(warnings),
  };
}

function unique(certificates: readonly Certificate[], without: Certificate): Certificate[] {
  const byFingerprint = new Map(certificates.map((each) => [each.fingerprint, each]));
  byFingerprint.delete(without.fingerprint);
  return [...byFingerprint.values()];
}

function shownWarnings(warnings: unknown): string[] {
  if (!Array.isArray(warnings)) return [];
  return warnings
    .filter((each): each is string => typeof each === 'string')
    .flatMap((each) => shownText(each) ?? [])
    .slice(0, 8);
}
