import { hash } from 'node:crypto';
import { isAppError } from '../runtime/errors.ts';
import { Certificate } from './certificate.ts';
import { pkiErrors } from './errors.ts';

/** More anchors than any mesh has, and few enough to try each of them. */
const MAX_ANCHORS = 64;

/**
 * The CA certificates a mesh trusts: a set without order. Sorted by fingerprint, so that the same anchors give the same
 * text and the same hash wherever they came from. An anchor past its end may be in it; verification refuses it by name.
 */
export class TrustBundle {
  readonly anchors: readonly Certificate[];
  /** All anchors as PEM, sorted. */
  readonly pem: string;
  /** SHA-256 of `pem` in lower-case hex: what peers acknowledge. */
  readonly sha256: string;

  private constructor(anchors: readonly Certificate[]) {
    this.anchors = anchors;
    this.pem = anchors.map((anchor) => anchor.pem).join('');
    this.sha256 = hash('sha256', this.pem, 'hex');
  }

  /** Throws `bundle_malformed` when the text is not PEM, holds no certificate, or one that is not a CA. */
  static parsePem(pem: string): TrustBundle {
    try {
      return TrustBundle.of(Certificate.parsePem(pem));
    } catch (cause) {
      if (!isAppError(cause) || cause.code === 'bundle_malformed') throw cause;
      throw pkiErrors.error('bundle_malformed', `trust bundle: ${cause.message}`, { cause });
    }
  }

  /** Certificates given twice count once. */
  static of(certificates: readonly Certificate[]): TrustBundle {
    const unique = new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
    if (unique.size === 0 || unique.size > MAX_ANCHORS) {
      throw pkiErrors.error(
        'bundle_malformed',
        `trust bundle: expected 1 to ${MAX_ANCHORS} CA certificates, got ${unique.size}`,
      );
    }
    const leaf = certificates.find((certificate) => !certificate.isCa);
    if (leaf !== undefined) {
      throw pkiErrors.error(
        'bundle_malformed',
        `trust bundle: expected CA certificates only, got ${leaf.label} without the CA flag`,
      );
    }
    return new TrustBundle([...unique.values()].toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)));
  }

  /** The anchors of both: what peers must trust while one set replaces the other. */
  union(other: TrustBundle): TrustBundle {
    return TrustBundle.of([...this.anchors, ...other.anchors]);
  }

  has(certificate: Certificate): boolean {
    return this.anchors.some((anchor) => anchor.equals(certificate));
  }

  equals(other: TrustBundle): boolean {
    return this.sha256 === other.sha256;
  }
}
