import { issuerSettings } from '../issuers/settings.ts';
import { kubeSettings } from '../kube/settings.ts';
import { MeshDomain } from '../pki/workload-identity.ts';
import type { Check, ValuesOf } from '../runtime/env.ts';
import { errorMessage } from '../runtime/errors.ts';
import { dnsNameFormat } from '../runtime/formats.ts';
import { checkListenerAddresses } from '../runtime/listener-addresses.ts';
import type { ListenerAddress } from '../runtime/listener-addresses.ts';
import { processSettings } from '../runtime/process-settings.ts';
import {
  dnsLabel,
  dnsName,
  duration,
  filledText,
  integer,
  list,
  oneOf,
  path,
  socketAddress,
  url,
} from '../runtime/settings.ts';
import { anchorsPlace, anchorsPlaceSettings } from './anchors-place.ts';
import { isTrustedPath } from './token/jwks-address.ts';

const hourMs = 3_600_000;

/** Everything the identity process is told by its environment. */
export const identitySettings = {
  listenAddress: socketAddress({
    name: 'KEDGE_IDENTITY_LISTEN_ADDR',
    help: 'Where workloads ask for certificates and follow the trust bundle (gRPC over mutual TLS).',
    fallback: '0.0.0.0:8080',
  }),
  adminListenAddress: socketAddress({
    name: 'KEDGE_ADMIN_LISTEN_ADDR',
    help: 'Where /live, /ready and /metrics are served, without TLS.',
    fallback: '0.0.0.0:9990',
  }),
  controlNamespace: dnsLabel({
    name: 'KEDGE_CONTROL_NAMESPACE',
    help: 'The namespace of the control plane; a part of every identity.',
    fallback: 'kedge',
  }),
  trustDomain: dnsName({
    name: 'KEDGE_TRUST_DOMAIN',
    help: 'The trust domain; the end of every identity.',
    fallback: 'cluster.local',
  }),
  serviceAccount: dnsName({
    name: 'KEDGE_SERVICE_ACCOUNT',
    help: 'The ServiceAccount of this process; its own certificate carries the name.',
    fallback: 'kedge-identity',
  }),
  trustAnchorsFile: path({
    name: 'KEDGE_TRUST_ANCHORS_FILE',
    help: 'The trust anchors that are published to workloads, as PEM; read anew when it changes. Either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP.',
  }),
  trustBundleConfigMap: dnsName({
    name: 'KEDGE_TRUST_BUNDLE_CONFIG_MAP',
    help: 'The ConfigMap of the control namespace with the trust anchors (key ca-bundle.crt); followed, and copied into every namespace under the same name. Either this or KEDGE_TRUST_ANCHORS_FILE. With KEDGE_TRUST_ANCHORS_CONFIG_MAP it is a copy, too.',
  }),
  ...anchorsPlaceSettings,
  webhookCertificateSecret: dnsName({
    name: 'KEDGE_WEBHOOK_CERTIFICATE_SECRET',
    help: 'A Secret of the control namespace with the certificate of an admission webhook (key tls.crt): Events tell 60, 14 and 3 days before its end, as they do of trust anchors and issuer. Only the certificate is kept of it.',
  }),
  ...issuerSettings,
  issuanceLifetime: duration({
    name: 'KEDGE_ISSUANCE_LIFETIME',
    help: 'How long a workload certificate is good, unless the issuer ends sooner.',
    fallback: '24h',
    min: 1_000,
    max: 720 * hourMs,
  }),
  clockSkewAllowance: duration({
    name: 'KEDGE_CLOCK_SKEW_ALLOWANCE',
    help: 'How far clocks may be apart: certificates start this much in the past, and the times in tokens are taken with as much tolerance.',
    fallback: '20s',
    min: 0,
    max: 600_000,
  }),
  tokenAudience: filledText({
    name: 'KEDGE_TOKEN_AUDIENCE',
    help: 'The only audience that tokens may have.',
    fallback: 'identity.l5d.io',
  }),
  tokenVerifier: oneOf({
    name: 'KEDGE_TOKEN_VERIFIER',
    help: 'Who decides on tokens: "token-review" asks the API server about each; "jwks" verifies them with published keys and takes the subjects of a table.',
    values: ['jwks', 'token-review'],
    fallback: 'jwks',
  }),
  tokenIssuer: filledText({
    name: 'KEDGE_TOKEN_ISSUER',
    help: 'The issuer (iss) that tokens must have, letter by letter. Needed with "jwks"; with "token-review", the API server decides where it is not set.',
  }),
  tokenJwksFile: path({
    name: 'KEDGE_TOKEN_JWKS_FILE',
    help: 'A file with the public keys of the token issuer (JSON Web Key Set), read anew when it changes. With "jwks" either this or KEDGE_TOKEN_JWKS_URL; with "token-review" the keys of the API server where neither is set.',
  }),
  tokenJwksUrl: url({
    name: 'KEDGE_TOKEN_JWKS_URL',
    help: 'The https URL of the public keys of the token issuer. Private roots go into NODE_EXTRA_CA_CERTS.',
  }),
  tokenJwksHttpHosts: list({
    name: 'KEDGE_TOKEN_JWKS_HTTP_HOSTS',
    help: 'Hosts from which token keys may be fetched without TLS. Whoever can answer in their place can make tokens; loopback addresses need no mention.',
    item: dnsNameFormat,
    fallback: '',
  }),
  tokenSubjectsFile: path({
    name: 'KEDGE_TOKEN_SUBJECTS_FILE',
    help: 'JSON object from token subject to "namespace/serviceaccount", read anew when it changes. Subjects that are not in it get no certificate. Needed with "jwks".',
  }),
  rateTotal: integer({
    name: 'KEDGE_RATE_TOTAL',
    help: 'Requests a second from all callers without a certificate together, and as many from all with one.',
    fallback: '1000',
    min: 1,
    max: 1_000_000,
  }),
  ratePerPeer: integer({
    name: 'KEDGE_RATE_PER_PEER',
    help: 'Requests a second from one caller: an address, or an address with the name its certificate proves.',
    fallback: '20',
    min: 1,
    max: 1_000_000,
  }),
  ratePerServiceAccount: integer({
    name: 'KEDGE_RATE_PER_SERVICE_ACCOUNT',
    help: 'Certificates a second for one ServiceAccount, counted after the token was verified.',
    fallback: '50',
    min: 1,
    max: 1_000_000,
  }),
  ...kubeSettings,
  ...processSettings,
} as const;

type Rule = Check<typeof identitySettings>;

const checkListeners: Rule = ({ listenAddress, adminListenAddress }, problem) => {
  const listeners: ListenerAddress[] = [
    [identitySettings.listenAddress.name, listenAddress],
    [identitySettings.adminListenAddress.name, adminListenAddress],
  ];
  checkListenerAddresses(listeners, problem);
};

/** Token keys come from exactly one place, and over a way that nobody else can answer on. */
const checkTokenKeys: Rule = (config, problem) => {
  const { tokenVerifier, tokenJwksFile, tokenJwksUrl, tokenJwksHttpHosts } = config;
  const given = [tokenJwksFile, tokenJwksUrl].filter((value) => value !== undefined).length;
  if (given > 1 || (given === 0 && tokenVerifier === 'jwks')) {
    const expected = 'either this or KEDGE_TOKEN_JWKS_FILE to be set';
    problem('KEDGE_TOKEN_JWKS_URL', expected, given === 0 ? 'neither' : 'both');
  }
  if (tokenJwksUrl !== undefined && !isTrustedPath(tokenJwksUrl, tokenJwksHttpHosts)) {
    const expected = 'an https URL, a loopback address, or a host of KEDGE_TOKEN_JWKS_HTTP_HOSTS';
    problem('KEDGE_TOKEN_JWKS_URL', expected, `http to ${tokenJwksUrl.hostname}`);
  }
};

/** Where no API server decides, everything that a token must be is told by the settings. */
const checkJwks: Rule = ({ tokenVerifier, tokenIssuer, tokenSubjectsFile }, problem) => {
  if (tokenVerifier !== 'jwks') return;
  const { tokenIssuer: issuer, tokenSubjectsFile: subjects } = identitySettings;
  if (tokenIssuer === undefined) problem(issuer.name, issuer.expected, 'nothing');
  if (tokenSubjectsFile === undefined) problem(subjects.name, subjects.expected, 'nothing');
};

/** The trust anchors come from one place. Vault shows its own to a mesh that was given none. */
const checkTrust: Rule = (config, problem) => {
  const { trustAnchorsFile, trustBundleConfigMap, issuer, issuerBootstrap, vaultAnchorSha256 } = config;
  const given = [trustAnchorsFile, anchorsPlace(config)].filter((value) => value !== undefined).length;
  if (given > 1 || (given === 0 && issuer !== 'vault')) {
    const expected = 'either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP to be set';
    problem('KEDGE_TRUST_ANCHORS_FILE', expected, given === 0 ? 'neither' : 'both');
  }
  if (trustAnchorsFile !== undefined && vaultAnchorSha256 !== undefined) {
    problem('KEDGE_VAULT_ANCHOR_SHA256', 'either this or KEDGE_TRUST_ANCHORS_FILE to be set', 'both');
  }
  if (issuerBootstrap && trustBundleConfigMap === undefined) {
    problem('KEDGE_ISSUER_BOOTSTRAP', '"false" without KEDGE_TRUST_BUNDLE_CONFIG_MAP', 'true');
  }
};

/** What somebody else keeps is neither made nor written here. */
const checkOthersAnchors: Rule = (config, problem) => {
  const { trustAnchorsConfigMap: others, trustBundleConfigMap, controlNamespace, issuerBootstrap } = config;
  if (others?.namespace === controlNamespace && others.name === trustBundleConfigMap) {
    const expected = 'another ConfigMap than that of KEDGE_TRUST_BUNDLE_CONFIG_MAP';
    problem('KEDGE_TRUST_ANCHORS_CONFIG_MAP', expected, 'the same');
  }
  if (issuerBootstrap && others !== undefined) {
    problem('KEDGE_ISSUER_BOOTSTRAP', '"false" with KEDGE_TRUST_ANCHORS_CONFIG_MAP', 'true');
  }
};

/** Whoever is on the way could give an anchor of its own. */
const checkVaultAnchor: Rule = (config, problem) => {
  const { issuer, trustAnchorsFile, vaultAnchorSha256, vaultAddress } = config;
  const given = [trustAnchorsFile, anchorsPlace(config), vaultAnchorSha256].some(
    (value) => value !== undefined,
  );
  if (issuer !== 'vault' || given || vaultAddress.protocol === 'https:') return;
  const expected = 'the trust anchors, as KEDGE_VAULT_ADDR is without TLS';
  problem('KEDGE_TRUST_ANCHORS_FILE', expected, 'neither this nor KEDGE_VAULT_ANCHOR_SHA256');
};

/** Each part may be well-formed and the whole name too long. */
const checkOwnName: Rule = (config, problem) => {
  const { controlNamespace, trustDomain, serviceAccount } = config;
  try {
    new MeshDomain(controlNamespace, trustDomain).identity(controlNamespace, serviceAccount);
  } catch (error) {
    const got = `one that does not: ${errorMessage(error)}`;
    problem('KEDGE_TRUST_DOMAIN', 'a name that leaves room for identities', got);
  }
};

/** Rules over several settings. */
export const identityChecks: readonly Rule[] = [
  checkListeners,
  checkTrust,
  checkOthersAnchors,
  checkVaultAnchor,
  checkJwks,
  checkTokenKeys,
  checkOwnName,
];

/** Whether anything that was asked for is kept by the API server. */
export function needsCluster(config: ValuesOf<typeof identitySettings>): boolean {
  const { tokenVerifier, issuer, issuerFallbacks, issuerLocalSecret, webhookCertificateSecret } = config;
  const places = [issuerLocalSecret, anchorsPlace(config), webhookCertificateSecret];
  const kept = places.some((place) => place !== undefined);
  return kept || tokenVerifier === 'token-review' || [issuer, ...issuerFallbacks].includes('cert-manager');
}
