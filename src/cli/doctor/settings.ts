import { identitySettings } from '../../identity/settings.ts';
import { checkIssuerConfig } from '../../issuers/create-issuer.ts';
import { issuerSettings } from '../../issuers/settings.ts';
import { kubeSettings } from '../../kube/settings.ts';
import {
  ConfigError,
  readEnvironment,
  type Check,
  type Environment,
  type ValuesOf,
} from '../../runtime/env.ts';

const { controlNamespace, trustDomain, serviceAccount, issuanceLifetime } = identitySettings;
const { trustAnchorsFile, trustBundleConfigMap, trustAnchorsConfigMap, trustAnchorsKey } = identitySettings;

/** The settings of the identity service that say what its issuer is, and for which mesh. */
export const doctorSettings = {
  ...{ controlNamespace, trustDomain, serviceAccount, issuanceLifetime },
  ...{ trustAnchorsFile, trustBundleConfigMap, trustAnchorsConfigMap, trustAnchorsKey },
  ...issuerSettings,
  ...kubeSettings,
} as const;

export type DoctorConfig = ValuesOf<typeof doctorSettings>;

/** As the identity service has it: from one place, or from Vault itself. */
const checkAnchors: Check<typeof doctorSettings> = (config, problem) => {
  const { trustAnchorsFile: file, trustBundleConfigMap: own, trustAnchorsConfigMap: others, issuer } = config;
  const given = [file, own ?? others].filter((value) => value !== undefined).length;
  if (given === 1 || (given === 0 && issuer === 'vault')) return;
  const expected = 'either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP to be set';
  problem('KEDGE_TRUST_ANCHORS_FILE', expected, given === 0 ? 'neither' : 'both');
};

const names: ReadonlySet<string> = new Set(Object.values(doctorSettings).map(({ name }) => name));

/**
 * The settings of the environment, those of `set` over them. Throws `ConfigError` with all problems.
 *
 * @param forTrial whether anything is to be asked with them
 */
export function readDoctorConfig(
  environment: Environment,
  set: Readonly<Record<string, string>>,
  forTrial: boolean,
): DoctorConfig {
  const unknown = Object.keys(set).filter((name) => !names.has(name));
  if (unknown.length > 0) {
    const expected = 'a setting of the identity service that has to do with its issuer';
    throw new ConfigError(unknown.map((name) => ({ name, expected, got: 'none of this name' })));
  }
  const checks = forTrial ? [checkIssuerConfig, checkAnchors] : [checkIssuerConfig];
  return readEnvironment(doctorSettings, { ...environment, ...set }, ...checks);
}
