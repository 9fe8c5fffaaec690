import { TrustBundle } from '../../pki/trust-bundle.ts';
import type { Format } from '../../runtime/formats.ts';
import { localIdentityFormat } from './local-identity-format.ts';
import * as setting from '../../runtime/settings.ts';

const trustAnchorsFormat: Format<TrustBundle> = {
  expected: 'PEM text of at least one CA certificate',
  parse: (pem) => TrustBundle.parsePem(pem),
};

const positive = { min: 1 } as const;

/** Who this proxy is and who certifies it (contract 2.2). */
export const identitySettings = {
  identityDisabled: setting.text({
    name: 'LINKERD2_PROXY_IDENTITY_DISABLED',
    help: 'Must not be set: a proxy without an identity is not supported.',
  }),
  spireAddress: setting.text({
    name: 'LINKERD2_PROXY_IDENTITY_SPIRE_WORKLOAD_API_ADDRESS',
    help: 'Must not be set: the identity comes from the identity service.',
  }),
  trustAnchors: setting.setting(
    {
      name: 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS',
      help: 'The trust anchors to begin with, as PEM text; the identity service sends newer ones.',
      required: true,
    },
    trustAnchorsFormat,
  ),
  identityLocalName: setting.setting(
    {
      name: 'LINKERD2_PROXY_IDENTITY_LOCAL_NAME',
      help: "This workload's mesh identity, which is also the TLS server name it answers to.",
    },
    localIdentityFormat,
  ),
  identityServerId: setting.setting(
    {
      name: 'LINKERD2_PROXY_IDENTITY_SERVER_ID',
      help: 'Together with LINKERD2_PROXY_IDENTITY_SERVER_NAME another way to give the local name.',
    },
    localIdentityFormat,
  ),
  identityServerName: setting.setting(
    {
      name: 'LINKERD2_PROXY_IDENTITY_SERVER_NAME',
      help: 'Must equal LINKERD2_PROXY_IDENTITY_SERVER_ID.',
    },
    localIdentityFormat,
  ),
  identityTokenFile: setting.path({
    name: 'LINKERD2_PROXY_IDENTITY_TOKEN_FILE',
    help: 'The ServiceAccount token, read anew for each certificate.',
    required: true,
  }),
  identityAddress: setting.socketAddress({
    name: 'LINKERD2_PROXY_IDENTITY_SVC_ADDR',
    help: 'Where the identity service listens.',
    required: true,
  }),
  identityServiceName: setting.dnsName({
    name: 'LINKERD2_PROXY_IDENTITY_SVC_NAME',
    help: 'The identity that the identity service must prove; may be left out for a loopback address only, which is then spoken to in plaintext.',
  }),
  identityMinRefreshMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_IDENTITY_MIN_REFRESH',
    help: 'The shortest wait between two certificates.',
    fallback: '10s',
    ...positive,
  }),
  identityMaxRefreshMs: setting.proxyDuration({
    name: 'LINKERD2_PROXY_IDENTITY_MAX_REFRESH',
    help: 'The longest wait between two certificates.',
    fallback: '1d',
    ...positive,
  }),
  identityTimeoutMs: setting.proxyDuration({
    name: 'KEDGE_PROXY_IDENTITY_TIMEOUT',
    help: 'How long one request for a certificate may take; no less than KEDGE_ISSUER_TIMEOUT of the identity service, or the proxy gives up while the CA is at work.',
    fallback: '10s',
    min: 1_000,
    max: 120_000,
  }),
  identityDnsOnly: setting.boolean({
    name: 'KEDGE_PROXY_IDENTITY_DNS_ONLY',
    help: "Ask for the DNS name only, without the SPIFFE ID, as Linkerd's identity service demands.",
    fallback: 'false',
  }),
};
