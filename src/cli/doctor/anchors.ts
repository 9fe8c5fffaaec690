import { anchorsPlace } from '../../identity/anchors-place.ts';
import { failure } from '../../issuers/doctor/failure.ts';
import { passed, warned, type Check, type Finding } from '../../issuers/doctor/finding.ts';
import { quietLog } from '../../issuers/doctor/quiet-issuer.ts';
import type { DataObject } from '../../issuers/own-ca/settle-object.ts';
import type { KubeClient } from '../../kube/kube-client.ts';
import { configMaps } from '../../kube/resources.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorCode } from '../../runtime/errors.ts';
import { readSmallFile } from '../read-file.ts';
import type { DoctorConfig } from './settings.ts';

export interface AnchorsNeeds {
  readonly config: DoctorConfig;
  /** Needed where the settings name a ConfigMap. */
  readonly client: Pick<KubeClient, 'read'> | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ExaminedAnchors {
  readonly finding: Finding;
  readonly bundle: TrustBundle | undefined;
}

const check: Check = { check: 'anchors', title: 'the trust anchors can be read' };

/** The trust anchors of the mesh, from where the identity service has them. */
export async function examineAnchors(needs: AnchorsNeeds): Promise<ExaminedAnchors> {
  const { config } = needs;
  try {
    const [bundle, where] = await readAnchors(needs);
    const anchors = bundle.anchors.map(({ label, fingerprint }) => `${label} (${fingerprint})`).join(', ');
    const seen = `${anchors}, from ${where}`;
    const ended = bundle.anchors.filter(({ notAfter }) => notAfter <= needs.clock.now());
    if (ended.length === 0) return { finding: passed(check, seen), bundle };
    const remedy = `Take out what has ended: ${ended.map(({ label }) => label).join(', ')}.`;
    return { finding: warned(check, seen, { concerns: 'anchors', remedy }), bundle };
  } catch (error) {
    const place =
      config.trustAnchorsFile === undefined ? 'KEDGE_TRUST_BUNDLE_CONFIG_MAP' : 'KEDGE_TRUST_ANCHORS_FILE';
    return { finding: failure(check, error, place), bundle: undefined };
  }
}

async function readAnchors(needs: AnchorsNeeds): Promise<[TrustBundle, string]> {
  const { config, client, signal } = needs;
  const { trustAnchorsFile: file, issuer } = config;
  if (file !== undefined) return [TrustBundle.parsePem((await readSmallFile(file)).toString('utf8')), file];
  const place = anchorsPlace(config);
  if (place === undefined || client === undefined) return readFromVault(needs);
  const { namespace, name, key } = place;
  try {
    const { data } = await client.read<DataObject>(configMaps, { namespace, name }, signal);
    return [TrustBundle.parsePem(data?.[key] ?? ''), `the ConfigMap ${namespace}/${name}`];
  } catch (error) {
    // Before its first start, the identity service would take them from Vault.
    if (issuer !== 'vault' || errorCode(error) !== 'kube_not_found') throw error;
    return readFromVault(needs);
  }
}

async function readFromVault({ config, clock, signal }: AnchorsNeeds): Promise<[TrustBundle, string]> {
  const { readVaultAnchor } = await import('../../issuers/vault/vault-anchor.ts');
  const bundle = await readVaultAnchor(config, { clock, log: quietLog() }, signal);
  const pinned = config.vaultAnchorSha256 === undefined ? '; none is given, so compare the fingerprint' : '';
  return [bundle, `Vault itself${pinned}`];
}
