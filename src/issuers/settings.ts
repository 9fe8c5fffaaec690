import { boolean, dnsName, duration, oneOf, path } from '../runtime/settings.ts';
import { certManagerSettings } from './cert-manager/settings.ts';
import { guardSettings } from './outage/settings.ts';
import { vaultSettings } from './vault/settings.ts';

const hourMs = 3_600_000;
const yearMs = 8_760 * hourMs;

/** Which issuer signs, and what it needs; part of the identity service's settings. */
export const issuerSettings = {
  issuer: oneOf({
    name: 'KEDGE_ISSUER',
    help: 'What signs workload certificates. "local" is a CA key pair in a directory or in a Secret of the cluster; "vault" is Vault or OpenBao; "cert-manager" is any issuer of cert-manager.',
    values: ['local', 'vault', 'cert-manager'],
    fallback: 'local',
  }),
  issuerMode: oneOf({
    name: 'KEDGE_ISSUER_MODE',
    help: 'Whether the CA signs each workload certificate itself ("direct", what "vault" does unless told), or signs an intermediate that signs them here ("intermediate", what "cert-manager" does unless told). Not for "local".',
    values: ['direct', 'intermediate'],
  }),
  issuerLocalDirectory: path({
    name: 'KEDGE_ISSUER_LOCAL_DIR',
    help: 'The directory of the local issuer: tls.crt and tls.key, or crt.pem and key.pem. Either this or KEDGE_ISSUER_LOCAL_SECRET.',
  }),
  issuerLocalSecret: dnsName({
    name: 'KEDGE_ISSUER_LOCAL_SECRET',
    help: 'The Secret of the local issuer in the control namespace, with the same names of keys; read anew when it changes. Either this or KEDGE_ISSUER_LOCAL_DIR.',
  }),
  issuerBootstrap: boolean({
    name: 'KEDGE_ISSUER_BOOTSTRAP',
    help: 'Whether to make the trust anchor, the trust bundle and the issuer in the cluster where they are missing, and to renew the issuer, or make another where its Secret was emptied, while the key of the anchor is there. Needs KEDGE_ISSUER_LOCAL_SECRET and KEDGE_TRUST_BUNDLE_CONFIG_MAP.',
    fallback: 'false',
  }),
  issuerAnchorSecret: dnsName({
    name: 'KEDGE_TRUST_ANCHOR_SECRET',
    help: 'The Secret of the trust anchor and its key in the control namespace, with KEDGE_ISSUER_BOOTSTRAP. Another Secret than that of KEDGE_ISSUER_LOCAL_SECRET.',
    fallback: 'kedge-trust-anchor',
  }),
  issuerAnchorLifetime: duration({
    name: 'KEDGE_TRUST_ANCHOR_LIFETIME',
    help: 'How long a trust anchor lives that is made with KEDGE_ISSUER_BOOTSTRAP.',
    fallback: '87600h',
    min: hourMs,
    max: 100 * yearMs,
  }),
  issuerLifetime: duration({
    name: 'KEDGE_ISSUER_LIFETIME',
    help: 'How long an issuer lives that is made with KEDGE_ISSUER_BOOTSTRAP, unless its anchor ends sooner.',
    fallback: '8760h',
    min: hourMs,
    max: 100 * yearMs,
  }),
  issuerTimeout: duration({
    name: 'KEDGE_ISSUER_TIMEOUT',
    help: 'How long one signature may take before the workload is told to come back later. Above ten seconds, proxies need as much in KEDGE_PROXY_IDENTITY_TIMEOUT: they give up first otherwise, and a request that cert-manager has is then removed.',
    fallback: '10s',
    min: 100,
    max: 60_000,
  }),
  ...guardSettings,
  ...vaultSettings,
  ...certManagerSettings,
} as const;
