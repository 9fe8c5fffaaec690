import { readEnvironment } from '../runtime/env.ts';
import type { Environment, ValuesOf } from '../runtime/env.ts';
import { settingChecks } from './settings/checks.ts';
import { controlSettings } from './settings/control-settings.ts';
import { identitySettings } from './settings/identity-settings.ts';
import { inboundSettings } from './settings/inbound-settings.ts';
import { outboundSettings } from './settings/outbound-settings.ts';
import { processSettings } from './settings/process-settings.ts';

/** Every variable the proxy reads; others of the contract are accepted and have no effect. */
export const proxySettings = {
  ...identitySettings,
  ...controlSettings,
  ...inboundSettings,
  ...outboundSettings,
  ...processSettings,
};

export type ProxySettings = ValuesOf<typeof proxySettings>;

/** Throws ConfigError with every problem of the environment. */
export function readProxySettings(environment: Environment): ProxySettings {
  return readEnvironment(proxySettings, environment, ...settingChecks);
}
