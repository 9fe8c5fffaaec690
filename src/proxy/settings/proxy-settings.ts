import type { ValuesOf } from '../../runtime/env.ts';
import { controlSettings } from './control-settings.ts';
import { identitySettings } from './identity-settings.ts';
import { inboundSettings } from './inbound-settings.ts';
import { outboundSettings } from './outbound-settings.ts';
import { processSettings } from './process-settings.ts';

/** Every variable the proxy reads; others of the contract are accepted and have no effect. */
export const proxySettings = {
  ...identitySettings,
  ...controlSettings,
  ...inboundSettings,
  ...outboundSettings,
  ...processSettings,
};

export type ProxySettings = ValuesOf<typeof proxySettings>;
