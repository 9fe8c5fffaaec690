import { keyExchangeGroups } from '../../rpc/mesh-tls.ts';
import { oneOfFormat } from '../../runtime/formats.ts';
import * as setting from '../../runtime/settings.ts';
import { listenAddressFormat } from './forward-format.ts';
import { logLevelFormat } from './log-level-format.ts';

const positive = { min: 1 } as const;

/** What concerns the process as a whole. */
export const processSettings = {
  adminListen: setting.setting(
    {
      name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR',
      help: 'Serves /live, /ready and /metrics, in plaintext and over mesh TLS.',
      fallback: '127.0.0.1:4191',
    },
    listenAddressFormat,
  ),
  tlsGroups: setting.list({
    name: 'KEDGE_PROXY_TLS_GROUPS',
    help: 'Groups for the key exchange of mesh TLS, the most wanted first; leaving some out forbids them.',
    fallback: keyExchangeGroups.join(),
    item: oneOfFormat(keyExchangeGroups),
  }),
  idleTimeoutMs: setting.proxyDuration({
    name: 'KEDGE_PROXY_IDLE_TIMEOUT',
    help: 'A connection that carries nothing for this long is closed.',
    fallback: '1d',
    ...positive,
  }),
  shutdownGraceMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD',
    help: 'How long open connections may go on after SIGTERM.',
    fallback: '2m',
  }),
  logLevel: setting.setting(
    {
      name: 'LINKERD2_PROXY_LOG',
      help: 'The least level that is logged; of a list such as "warn,linkerd=info" the most exact entry counts.',
      fallback: 'info',
    },
    logLevelFormat,
  ),
};
