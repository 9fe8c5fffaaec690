import type { Check } from '../../runtime/env.ts';
import type { Format } from '../../runtime/formats.ts';
import {
  boolean,
  dnsName,
  duration,
  integer,
  oneOf,
  path,
  setting,
  text,
  url,
} from '../../runtime/settings.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const segment = /^\w[\w.-]*$/;

/** A name inside a mount: of a role, of an issuer. It becomes a part of a path, so it holds no slash. */
const nameFormat: Format<string> = {
  expected: 'a name of letters, digits, "_", "-" and "."',
  parse: (given) => (segment.test(given.trim()) ? given.trim() : undefined),
};

/** Where an engine is mounted, which may be several folders deep. */
const mountFormat: Format<string> = {
  expected: 'a mount path such as "pki" or "teams/mesh/pki"',
  parse: (given) => {
    const mount = given.trim().replace(/^\/|\/$/g, '');
    return mount.split('/').every((each) => segment.test(each)) ? mount : undefined;
  },
};

const sha256Format: Format<string> = {
  expected: 'a SHA-256 in hexadecimal, with or without colons',
  parse: (given) => {
    const hex = given.trim().replaceAll(':', '').toLowerCase();
    return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined;
  },
};

/** How the identity service asks Vault or OpenBao; the defaults are what a usual installation is called. */
export const vaultSettings = {
  vaultAddress: url({
    name: 'KEDGE_VAULT_ADDR',
    help: 'The address of Vault or OpenBao. VAULT_ADDR and the other variables of its own command line are not read.',
    fallback: 'https://vault.vault.svc:8200',
  }),
  vaultAllowPlaintext: boolean({
    name: 'KEDGE_VAULT_ALLOW_PLAINTEXT',
    help: 'Whether KEDGE_VAULT_ADDR may begin with http://, for a development server on this machine. Whoever is on the way then reads the token and answers in its place; trust anchors are never taken over it.',
    fallback: 'false',
  }),
  vaultSkipVerify: text({
    name: 'VAULT_SKIP_VERIFY',
    help: 'Must not be set: certificates are always verified. Give the CA with KEDGE_VAULT_CA_FILE instead.',
  }),
  vaultCaFile: path({
    name: 'KEDGE_VAULT_CA_FILE',
    help: 'The CA certificates that the certificate of Vault is verified by, as PEM, read anew for each connection after it changed. The roots of the system where it is not set.',
  }),
  vaultServerName: dnsName({
    name: 'KEDGE_VAULT_SERVER_NAME',
    help: 'The name that the certificate of Vault must have, where that is not the one in KEDGE_VAULT_ADDR.',
  }),
  vaultNamespace: setting(
    {
      name: 'KEDGE_VAULT_NAMESPACE',
      help: 'The namespace inside Vault (Enterprise) or OpenBao that all mounts are in.',
    },
    mountFormat,
  ),
  vaultConnections: integer({
    name: 'KEDGE_VAULT_CONNECTIONS',
    help: 'How many connections to Vault are open at most. Calls beyond them wait for one.',
    fallback: '16',
    min: 1,
    max: 1024,
  }),
  vaultAuth: oneOf({
    name: 'KEDGE_VAULT_AUTH',
    help: 'How the identity service logs in to Vault: "kubernetes" and "jwt" with its own projected token, "approle" with two files, "cert" with a client certificate, "token-file" with a token that another program (Vault Agent) keeps in a file.',
    values: ['kubernetes', 'jwt', 'approle', 'cert', 'token-file'],
    fallback: 'kubernetes',
  }),
  vaultAuthMount: setting(
    {
      name: 'KEDGE_VAULT_AUTH_MOUNT',
      help: 'Where that way to log in is mounted; the name of the method where it is not set.',
    },
    mountFormat,
  ),
  vaultAuthRole: setting(
    {
      name: 'KEDGE_VAULT_AUTH_ROLE',
      help: 'The role to log in with ("kubernetes", "jwt", "cert").',
      fallback: 'kedge',
    },
    nameFormat,
  ),
  vaultJwtFile: path({
    name: 'KEDGE_VAULT_JWT_FILE',
    help: 'The projected token (audience "vault") to log in with ("kubernetes", "jwt"); read at each log-in.',
    fallback: '/var/run/secrets/vault/token',
  }),
  vaultRoleIdFile: path({
    name: 'KEDGE_VAULT_ROLE_ID_FILE',
    help: 'The role id to log in with ("approle"); read at each log-in.',
  }),
  vaultSecretIdFile: path({
    name: 'KEDGE_VAULT_SECRET_ID_FILE',
    help: 'The secret id to log in with ("approle"); read at each log-in.',
  }),
  vaultCertFile: path({
    name: 'KEDGE_VAULT_CLIENT_CERT_FILE',
    help: 'The client certificate to log in with ("cert"), as PEM; read at each log-in.',
  }),
  vaultKeyFile: path({
    name: 'KEDGE_VAULT_CLIENT_KEY_FILE',
    help: 'Its private key ("cert"), as PEM; read at each log-in.',
  }),
  vaultTokenFile: path({
    name: 'KEDGE_VAULT_TOKEN_FILE',
    help: 'The file with a token of Vault ("token-file"), read anew when it changes; whoever writes it renews it.',
  }),
  vaultPkiMount: setting(
    { name: 'KEDGE_VAULT_PKI_MOUNT', help: 'Where the PKI engine is mounted.', fallback: 'pki' },
    mountFormat,
  ),
  vaultPkiRole: setting(
    {
      name: 'KEDGE_VAULT_PKI_ROLE',
      help: 'The role of the PKI engine that workload certificates are signed under ("direct").',
      fallback: 'kedge',
    },
    nameFormat,
  ),
  vaultPkiIssuer: setting(
    {
      name: 'KEDGE_VAULT_PKI_ISSUER',
      help: 'The issuer of the PKI engine, by name or id, where it is not to be the one of the role or the default one.',
    },
    nameFormat,
  ),
  vaultIntermediateLifetime: duration({
    name: 'KEDGE_VAULT_INTERMEDIATE_LIFETIME',
    help: 'How long an intermediate lives that Vault signs for one replica ("intermediate"); it is replaced after half of it.',
    fallback: '168h',
    min: minuteMs,
    max: 8_760 * hourMs,
  }),
  vaultAnchorSha256: setting(
    {
      name: 'KEDGE_VAULT_ANCHOR_SHA256',
      help: 'The SHA-256 of the trust anchor (of its DER), which is then read from Vault. Without it and without KEDGE_TRUST_ANCHORS_FILE, and while the ConfigMap of KEDGE_TRUST_BUNDLE_CONFIG_MAP is not there, the anchor that Vault shows over verified TLS is taken once and told in the log.',
    },
    sha256Format,
  ),
} as const;

/** Files that a way to log in cannot do without. */
const filesOf = {
  kubernetes: [],
  jwt: [],
  approle: ['vaultRoleIdFile', 'vaultSecretIdFile'],
  cert: ['vaultCertFile', 'vaultKeyFile'],
  'token-file': ['vaultTokenFile'],
} as const;

/** What only counts where KEDGE_ISSUER is "vault". */
export const checkVaultConfig: Check<typeof vaultSettings> = (config, problem) => {
  const { vaultAddress, vaultAuth, vaultAllowPlaintext } = config;
  if (config.vaultSkipVerify !== undefined) {
    problem('VAULT_SKIP_VERIFY', 'it not to be set, and the CA in KEDGE_VAULT_CA_FILE', 'a value');
  }
  for (const key of filesOf[vaultAuth]) {
    if (config[key] !== undefined) continue;
    problem(vaultSettings[key].name, `a file, as KEDGE_VAULT_AUTH is "${vaultAuth}"`, 'nothing');
  }
  const { protocol, pathname, search, hash } = vaultAddress;
  if (pathname !== '/' || search !== '' || hash !== '') {
    problem('KEDGE_VAULT_ADDR', 'an address without a path', `one with ${pathname}${search}${hash}`);
  }
  if (protocol === 'https:') return;
  if (!vaultAllowPlaintext) {
    problem('KEDGE_VAULT_ADDR', 'https://, or KEDGE_VAULT_ALLOW_PLAINTEXT to be "true"', 'http://');
  }
  if (vaultAuth === 'cert') problem('KEDGE_VAULT_ADDR', 'https://, as KEDGE_VAULT_AUTH is "cert"', 'http://');
};
