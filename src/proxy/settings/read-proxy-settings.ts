import { readEnvironment } from '../../runtime/env.ts';
import type { Environment } from '../../runtime/env.ts';
import { settingChecks } from './checks.ts';
import { proxySettings } from './proxy-settings.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** Throws ConfigError with every problem of the environment. */
export function readProxySettings(environment: Environment): ProxySettings {
  return readEnvironment(proxySettings, environment, ...settingChecks);
}
