import type { KeyObject } from 'node:crypto';
import { createAnchor } from '../../pki/authority.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { generateKeyPair, keyMatches } from '../../pki/keys.ts';
import type { TrustBundle } from '../../pki/trust-bundle.ts';
import { verifyChain } from '../../pki/verify-chain.ts';
import { isAppError } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';
import { formatDate } from '../lifetime.ts';
import type { Layout } from './layout.ts';
import type { Present } from './read-directory.ts';

/** The trust anchor; its key only where it is at hand. */
export interface Anchor {
  readonly certificate: Certificate;
  readonly key: KeyObject | undefined;
}

/** What the user named outside the directory. */
export interface GivenAnchor {
  readonly certificate: Certificate | undefined;
  readonly key: KeyObject | undefined;
}

export interface SettleAnchorOptions {
  layout: Layout;
  present: Present;
  given: GivenAnchor;
  commonName: string;
  lifetimeMs: number;
  now: Date;
}

/**
 * The anchor of the mesh: the one given, else the one in the directory or its bundle, else a new one, which is made only
 * where nothing refers to another. Throws `bootstrap_conflict`, `bootstrap_incomplete`, `bootstrap_unusable`.
 */
export async function settleAnchor(options: SettleAnchorOptions): Promise<Anchor> {
  const { layout, present, given, now } = options;
  const key = given.key ?? present.anchorKey;
  const certificate = given.certificate ?? present.anchor ?? publishedAnchor(present, key, now);
  if (certificate === undefined) {
    refuseToInvent(options);
    return makeAnchor(options);
  }
  if (present.anchor?.equals(certificate) === false) {
    throw cliErrors.error(
      'bootstrap_conflict',
      `${layout.anchorCertificate}: expected the certificate that was given, got another one`,
    );
  }
  for (const [file, one] of [
    ['--anchor-key', given.key],
    [layout.anchorKey, present.anchorKey],
  ] as const) {
    if (one !== undefined && !keyMatches(certificate, one)) {
      throw cliErrors.error(
        'bootstrap_conflict',
        `${file}: expected the private key of ${certificate.label}, got another key`,
      );
    }
  }
  if (present.bundle?.has(certificate) === false) {
    throw cliErrors.error(
      'bootstrap_conflict',
      `${layout.bundle}: expected the anchor ${certificate.label} in it, got only others`,
    );
  }
  checkAnchor(certificate, now);
  return { certificate, key };
}

/** The anchor may be gone offline with its key; what is published of it is enough. */
function publishedAnchor(present: Present, key: KeyObject | undefined, at: Date): Certificate | undefined {
  const published = present.bundle ?? present.issuerCa;
  if (published === undefined) return undefined;
  if (key !== undefined) return published.anchors.find((anchor) => keyMatches(anchor, key));
  if (present.issuer !== undefined) return anchorAbove(present.issuer, published, at);
  return published.anchors.length === 1 ? published.anchors[0] : undefined;
}

function anchorAbove(
  [leaf, ...intermediates]: readonly Certificate[],
  bundle: TrustBundle,
  at: Date,
): Certificate | undefined {
  if (leaf === undefined) return undefined;
  try {
    return verifyChain({ leaf, intermediates, bundle, at, usage: 'ca' }).at(-1);
  } catch (error) {
    if (!isAppError(error)) throw error;
    // With one anchor there is no choice, and the proof of the issuer says what is wrong with it.
    return bundle.anchors.length === 1 ? bundle.anchors[0] : undefined;
  }
}

function refuseToInvent({ layout, present, given }: SettleAnchorOptions): void {
  if (given.key !== undefined) {
    throw cliErrors.error(
      'bootstrap_incomplete',
      'expected the certificate of the given key with --anchor-cert, got none',
    );
  }
  if (present.bundle !== undefined || present.issuer !== undefined || present.issuerCa !== undefined) {
    throw cliErrors.error(
      'bootstrap_incomplete',
      `expected the anchor's certificate at ${layout.anchorCertificate}, found none that the other files belong to: bring it back or name it with --anchor-cert`,
    );
  }
}

async function makeAnchor({ present, commonName, lifetimeMs, now }: SettleAnchorOptions): Promise<Anchor> {
  // A key alone is what an interrupted first run leaves.
  const key = present.anchorKey ?? generateKeyPair().privateKey;
  const { certificate } = await createAnchor({ commonName, lifetimeMs, now, key });
  return { certificate, key };
}

function checkAnchor(certificate: Certificate, at: Date): void {
  const unusable = (got: string): Error =>
    cliErrors.error('bootstrap_unusable', `expected a trust anchor, got ${certificate.label}, ${got}`);
  if (!certificate.isCa) throw unusable('which is not a CA');
  if (at > certificate.notAfter) throw unusable(`which expired at ${formatDate(certificate.notAfter)}`);
  if (at < certificate.notBefore)
    throw unusable(`which is not valid before ${formatDate(certificate.notBefore)}`);
}
