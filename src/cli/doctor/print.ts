import { printCertManager } from '../../issuers/cert-manager/doctor/print-cert-manager.ts';
import { printVault } from '../../issuers/vault/doctor/print-vault.ts';
import { cliErrors } from '../errors.ts';
import { meshOf } from './mesh.ts';
import { modeOf } from './report.ts';
import type { DoctorConfig } from './settings.ts';

/** The JSON answer of `kedge doctor issuer --print`. */
export interface PrintedSetup {
  readonly issuer: 'vault' | 'cert-manager';
  readonly mode: 'direct' | 'intermediate';
  /** What applies `text`: `sh` for Vault, `kubectl apply -f -` for cert-manager. */
  readonly apply: string;
  readonly text: string;
}

/** What suffices for the issuer of the settings; throws `nothing_to_print` for one that needs nobody's leave. */
export function printSetup(config: DoctorConfig): PrintedSetup {
  const mode = modeOf(config);
  const { issuer } = config;
  if (issuer === 'local' || mode === undefined) {
    const message = 'expected KEDGE_ISSUER to be "vault" or "cert-manager", got "local", which asks nobody';
    throw cliErrors.error('nothing_to_print', message);
  }
  if (issuer === 'vault') return { issuer, mode, apply: 'sh', text: printVault(config, meshOf(config)) };
  return { issuer, mode, apply: 'kubectl apply -f -', text: printCertManager(config, meshOf(config)) };
}
