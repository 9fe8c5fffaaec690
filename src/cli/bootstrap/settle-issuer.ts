import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { caKeyPair } from '../../pki/ca-key-pair.ts';
import type { MeshDomain } from '../../pki/workload-identity.ts';
import { cliErrors } from '../errors.ts';
import { formatDate } from '../lifetime.ts';
import { inFile } from './in-file.ts';
import type { Layout } from './layout.ts';
import { makeIssuer } from '../../issuers/own-ca/make-issuer.ts';
import type { Present } from './read-directory.ts';
import type { Anchor } from './settle-anchor.ts';

export interface SettleIssuerOptions {
  layout: Layout;
  present: Present;
  anchor: Anchor;
  mesh: MeshDomain;
  lifetimeMs: number;
  now: Date;
}

/** The issuer of the directory, or a new one under the anchor. Throws `bootstrap_conflict`, `bootstrap_incomplete`, `bootstrap_unusable`. */
export async function settleIssuer(options: SettleIssuerOptions): Promise<CaKeyPair> {
  const { layout, present, now } = options;
  const { issuer: certificates, issuerKey } = present;
  if (certificates === undefined) return makeMissing(options);
  if (issuerKey === undefined) {
    throw cliErrors.error(
      'bootstrap_incomplete',
      `expected the issuer's key at ${layout.issuerKey}, found none: bring it back, or move ${layout.issuerDirectory} away for a new issuer`,
    );
  }
  const issuer = inFile(layout.issuerCertificate, () => caKeyPair(certificates, issuerKey));
  if (now > issuer.certificate.notAfter) {
    throw cliErrors.error(
      'bootstrap_unusable',
      `${layout.issuerCertificate}: expected a valid issuer, got one that expired at ${formatDate(issuer.certificate.notAfter)}: move ${layout.issuerDirectory} away and run the same command again for a new one under the same anchor`,
    );
  }
  return issuer;
}

function makeMissing({
  layout,
  present,
  anchor,
  mesh,
  lifetimeMs,
  now,
}: SettleIssuerOptions): Promise<CaKeyPair> {
  const { certificate, key } = anchor;
  if (key === undefined) {
    throw cliErrors.error(
      'bootstrap_incomplete',
      `expected the anchor's key at ${layout.anchorKey} to make an issuer with, found none: bring it back for this one run, or name it with --anchor-key`,
    );
  }
  const pair = inFile(layout.anchorCertificate, () => caKeyPair([certificate], key));
  return makeIssuer({ anchor: pair, mesh, lifetimeMs, now, key: present.issuerKey });
}
