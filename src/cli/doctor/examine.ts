import { anchorsPlace } from '../../identity/anchors-place.ts';
import { failure } from '../../issuers/doctor/failure.ts';
import type { Finding } from '../../issuers/doctor/finding.ts';
import type { ExaminationNeeds } from '../../issuers/doctor/needs.ts';
import { quietLog } from '../../issuers/doctor/quiet-issuer.ts';
import { connectKube } from '../../kube/connect-kube.ts';
import type { KubeConnection } from '../../kube/kube-watch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isAppError } from '../../runtime/errors.ts';
import { Metrics } from '../../runtime/metrics.ts';
import { examineAnchors } from './anchors.ts';
import { meshOf } from './mesh.ts';
import type { DoctorConfig } from './settings.ts';

export interface ExamineOptions {
  readonly config: DoctorConfig;
  readonly ownToken: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Examines the issuer of the settings, from wherever this runs. */
export async function examineIssuer(options: ExamineOptions): Promise<Finding[]> {
  const { config, clock, signal } = options;
  const mesh = meshOf(config);
  let client: KubeConnection | undefined;
  if (asksCluster(config)) {
    try {
      client = await connect(config, clock);
    } catch (error) {
      if (!isAppError(error)) throw error;
      return [failure({ check: 'kube', title: 'the API server can be asked' }, error, 'kubeconfig')];
    }
  }
  const { finding, bundle } = await examineAnchors({ config, client, clock, signal });
  return [finding, ...(await examineBackend(options, { mesh, bundle, clock, signal }, client))];
}

async function examineBackend(
  { config, ownToken }: ExamineOptions,
  needs: ExaminationNeeds,
  client: KubeConnection | undefined,
): Promise<Finding[]> {
  switch (config.issuer) {
    case 'vault': {
      const { examineVault } = await import('../../issuers/vault/doctor/examine-vault.ts');
      return examineVault({ ...needs, config, ownToken });
    }
    case 'cert-manager': {
      const { examineCertManager } =
        await import('../../issuers/cert-manager/doctor/examine-cert-manager.ts');
      if (client === undefined) throw new TypeError('expected an API server to ask');
      return examineCertManager({ ...needs, config, client });
    }
    case 'local': {
      const { examineLocal } = await import('../../issuers/local/doctor/examine-local.ts');
      const { issuerLocalDirectory: directory, issuerLocalSecret: secret } = config;
      return examineLocal({ ...needs, directory, secret, client });
    }
  }
}

/** Whether anything of it is kept by the API server. */
function asksCluster(config: DoctorConfig): boolean {
  const { issuer, issuerLocalSecret, trustAnchorsFile } = config;
  const anchors = trustAnchorsFile === undefined && anchorsPlace(config) !== undefined;
  return anchors || issuer === 'cert-manager' || (issuer === 'local' && issuerLocalSecret !== undefined);
}

function connect(config: DoctorConfig, clock: Clock): Promise<KubeConnection> {
  const options = { name: 'kedge-identity', log: quietLog(), clock, metrics: new Metrics() };
  return connectKube(config, options);
}
