import type { Certificate } from '../../pki/certificate.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isAppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { connectVault, type VaultConfig } from './connect-vault.ts';
import { vaultErrors } from './errors.ts';
import { readMountCa } from './mount-ca.ts';
import { pathOfCa, type SigningCa } from './signing-ca.ts';

export interface VaultAnchorNeeds {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The trust anchor above the CA in the PKI mount: the one with the fingerprint of the settings, or the self-signed one over
 * verified TLS. The log shows it. For a mesh that was given no anchors, once: whoever asks keeps it.
 *
 * Rejects with an error of the vault catalogue, `vault_anchor_unknown` where there is no such anchor.
 */
export async function readVaultAnchor(
  config: VaultConfig,
  { clock, log }: VaultAnchorNeeds,
  signal: AbortSignal,
): Promise<TrustBundle> {
  const { vaultAnchorSha256: pin, vaultAddress } = config;
  if (pin === undefined && vaultAddress.protocol !== 'https:') {
    throw unknown('one from a server with verified TLS, or one of KEDGE_VAULT_ANCHOR_SHA256', 'http://');
  }
  const open = new AbortController();
  try {
    const { client, paths } = await connectVault(config, { clock, signal: open.signal });
    const ca = await readMountCa(client, paths, signal);
    const anchor = anchorAbove(ca, pin, clock.now());
    const { label, fingerprint, notAfter: until } = anchor;
    const fields = { anchor: label, fingerprint, until, from: `${vaultAddress.origin}/v1/${paths.issuer}` };
    if (pin === undefined)
      log.warn(fields, 'trust anchor taken from Vault, since none was given; compare its fingerprint');
    else log.info(fields, 'trust anchor taken from Vault, with the fingerprint that was given');
    return TrustBundle.of([anchor]);
  } finally {
    open.abort();
  }
}

/** The one that lasts longest, where a root was issued again. */
function anchorAbove(ca: SigningCa, pin: string | undefined, now: Date): Certificate {
  const all = [ca.certificate, ...ca.others];
  const wanted = all.filter((each) => (pin === undefined ? isSelfSigned(each) : each.fingerprint === pin));
  const [anchor] = wanted
    .filter((each) => leadsTo(ca, each, now))
    .toSorted((a, b) => b.notAfter.getTime() - a.notAfter.getTime());
  if (anchor !== undefined) return anchor;
  const shown = all.map(({ label, fingerprint }) => `${label} ${fingerprint}`).join(', ');
  throw unknown(
    pin === undefined ? 'a self-signed CA above the one that signs' : `a CA with the SHA-256 ${pin}`,
    shown,
  );
}

function isSelfSigned(certificate: Certificate): boolean {
  return (
    certificate.subjectDer.equals(certificate.issuerDer) && certificate.isSignedBy(certificate.publicKey)
  );
}

function leadsTo(ca: SigningCa, anchor: Certificate, now: Date): boolean {
  if (!anchor.isCa) return false;
  try {
    pathOfCa(ca, TrustBundle.of([anchor]), now);
    return true;
  } catch (error) {
    if (isAppError(error)) return false;
    throw error;
  }
}

function unknown(expected: string, got: string): Error {
  return vaultErrors.error(
    'vault_anchor_unknown',
    `expected a trust anchor in Vault: ${expected}; got ${got}`,
  );
}
