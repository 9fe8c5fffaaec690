import { identityChecks, identitySettings, needsCluster } from '../../src/identity/settings.ts';
import { checkIssuerConfig } from '../../src/issuers/create-issuer.ts';
import { readEnvironment, type ConfigError, type Environment, type ValuesOf } from '../../src/runtime/env.ts';
import { thrownBy } from '../support/thrown-by.ts';

const least = {
  KEDGE_TRUST_ANCHORS_FILE: '/anchors/ca-bundle.crt',
  KEDGE_ISSUER_LOCAL_DIR: '/issuer',
  KEDGE_TOKEN_ISSUER: 'https://tokens.example',
  KEDGE_TOKEN_JWKS_FILE: '/keys/jwks.json',
  KEDGE_TOKEN_SUBJECTS_FILE: '/keys/subjects.json',
};

const inCluster = {
  KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle',
  KEDGE_ISSUER_LOCAL_SECRET: 'kedge-issuer',
  KEDGE_TOKEN_VERIFIER: 'token-review',
};

const read = (env: Environment): ValuesOf<typeof identitySettings> =>
  readEnvironment(identitySettings, env, ...identityChecks, checkIssuerConfig);

/** The problems of the least environment with these changes, one line each. */
function problems(changed: Environment): string[] {
  const error = thrownBy(() => read({ ...least, ...changed })) as ConfigError;
  expect(error.name).toBe('ConfigError');
  return error.message.split('\n');
}

describe('identitySettings', () => {
  it('needs few settings, and has the contract’s defaults for the others', () => {
    expect(read(least)).toMatchObject({
      listenAddress: { host: '0.0.0.0', port: 8080 },
      adminListenAddress: { host: '0.0.0.0', port: 9990 },
      controlNamespace: 'kedge',
      trustDomain: 'cluster.local',
      serviceAccount: 'kedge-identity',
      issuer: 'local',
      tokenAudience: 'identity.l5d.io',
      issuanceLifetime: 86_400_000,
      clockSkewAllowance: 20_000,
      logLevel: 'info',
    });
  });

  it('tells everything that is missing at once', () => {
    expect(problems(Object.fromEntries(Object.keys(least).map((name) => [name, undefined])))).toEqual([
      'KEDGE_TRUST_ANCHORS_FILE: expected either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP to be set, got neither',
      'KEDGE_TOKEN_ISSUER: expected a text that is not blank, got nothing',
      'KEDGE_TOKEN_SUBJECTS_FILE: expected the path of a file or directory, got nothing',
      'KEDGE_TOKEN_JWKS_URL: expected either this or KEDGE_TOKEN_JWKS_FILE to be set, got neither',
      'KEDGE_ISSUER_LOCAL_DIR: expected the directory of the CA key pair, as KEDGE_ISSUER is "local", got nothing',
    ]);
  });

  it('needs no file where the cluster keeps everything', () => {
    const config = read({ ...inCluster, KEDGE_ISSUER_BOOTSTRAP: 'true' });
    expect(needsCluster(config)).toBe(true);
    expect(config).toMatchObject({
      issuerAnchorSecret: 'kedge-trust-anchor',
      issuerAnchorLifetime: 3650 * 86_400_000,
      issuerLifetime: 365 * 86_400_000,
    });
    expect(needsCluster(read(least))).toBe(false);
  });

  it.each<[string, Environment, string]>([
    [
      'an issuer in two places',
      { KEDGE_ISSUER_LOCAL_SECRET: 'kedge-issuer' },
      'KEDGE_ISSUER_LOCAL_SECRET: expected either this or KEDGE_ISSUER_LOCAL_DIR to be set, got both',
    ],
    [
      'anchors in two places',
      { KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle' },
      'KEDGE_TRUST_ANCHORS_FILE: expected either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP to be set, got both',
    ],
    [
      'a CA to be made in files',
      { KEDGE_ISSUER_BOOTSTRAP: 'true', KEDGE_TRUST_ANCHORS_FILE: '', KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'b' },
      'KEDGE_ISSUER_BOOTSTRAP: expected "false" without KEDGE_ISSUER_LOCAL_SECRET, got true',
    ],
    [
      'a CA to be made with no place for its bundle',
      { KEDGE_ISSUER_BOOTSTRAP: 'true', KEDGE_ISSUER_LOCAL_DIR: '', KEDGE_ISSUER_LOCAL_SECRET: 's' },
      'KEDGE_ISSUER_BOOTSTRAP: expected "false" without KEDGE_TRUST_BUNDLE_CONFIG_MAP, got true',
    ],
    [
      'one Secret for the anchor and the issuer, which would sign with the key of the anchor',
      {
        ...{ ...inCluster, KEDGE_TRUST_ANCHORS_FILE: '', KEDGE_ISSUER_LOCAL_DIR: '' },
        ...{ KEDGE_TOKEN_JWKS_FILE: '', KEDGE_ISSUER_BOOTSTRAP: 'true' },
        ...{ KEDGE_ISSUER_LOCAL_SECRET: 'ca', KEDGE_TRUST_ANCHOR_SECRET: 'ca' },
      },
      'KEDGE_TRUST_ANCHOR_SECRET: expected two Secrets, this and that of KEDGE_ISSUER_LOCAL_SECRET, got "ca" for both',
    ],
    [
      'a copy of the bundle that is its own source',
      {
        ...{ KEDGE_TRUST_ANCHORS_FILE: '', KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'b' },
        KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'kedge/b',
      },
      'KEDGE_TRUST_ANCHORS_CONFIG_MAP: expected another ConfigMap than that of KEDGE_TRUST_BUNDLE_CONFIG_MAP, got the same',
    ],
    [
      'anchors of a file and of somebody else',
      { KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'cert-manager/mesh-anchors' },
      'KEDGE_TRUST_ANCHORS_FILE: expected either this or KEDGE_TRUST_BUNDLE_CONFIG_MAP to be set, got both',
    ],
    [
      'anchors of somebody else with no namespace',
      { KEDGE_TRUST_ANCHORS_FILE: '', KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'mesh-anchors' },
      'KEDGE_TRUST_ANCHORS_CONFIG_MAP: expected a namespace and a name such as "cert-manager/mesh-anchors", got "mesh-anchors"',
    ],
    [
      'a CA to be made under anchors of somebody else',
      {
        ...{
          KEDGE_TRUST_ANCHORS_FILE: '',
          KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'b',
          KEDGE_ISSUER_BOOTSTRAP: 'true',
        },
        ...{ KEDGE_ISSUER_LOCAL_DIR: '', KEDGE_ISSUER_LOCAL_SECRET: 's' },
        KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'cert-manager/mesh-anchors',
      },
      'KEDGE_ISSUER_BOOTSTRAP: expected "false" with KEDGE_TRUST_ANCHORS_CONFIG_MAP, got true',
    ],
    [
      'a CA to be made where cert-manager has one',
      {
        ...{
          KEDGE_TRUST_ANCHORS_FILE: '',
          KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'b',
          KEDGE_ISSUER_BOOTSTRAP: 'true',
        },
        KEDGE_ISSUER: 'cert-manager',
      },
      'KEDGE_ISSUER_BOOTSTRAP: expected "false", as KEDGE_ISSUER is "cert-manager", got true',
    ],
    [
      'a kind of issuer that none can have',
      { KEDGE_CERT_MANAGER_ISSUER_KIND: 'cluster issuer' },
      'KEDGE_CERT_MANAGER_ISSUER_KIND: expected a kind such as "Issuer" or "ClusterIssuer", got "cluster issuer"',
    ],
    [
      'two sources of token keys with token reviews',
      { KEDGE_TOKEN_VERIFIER: 'token-review', KEDGE_TOKEN_JWKS_URL: 'https://tokens.example/jwks' },
      'KEDGE_TOKEN_JWKS_URL: expected either this or KEDGE_TOKEN_JWKS_FILE to be set, got both',
    ],
    [
      'two sources of token keys',
      { KEDGE_TOKEN_JWKS_URL: 'https://tokens.example/jwks' },
      'KEDGE_TOKEN_JWKS_URL: expected either this or KEDGE_TOKEN_JWKS_FILE to be set, got both',
    ],
    [
      'token keys over a way that anybody can answer on',
      { KEDGE_TOKEN_JWKS_FILE: '', KEDGE_TOKEN_JWKS_URL: 'http://tokens.example/jwks' },
      'KEDGE_TOKEN_JWKS_URL: expected an https URL, a loopback address, or a host of KEDGE_TOKEN_JWKS_HTTP_HOSTS, got http to tokens.example',
    ],
    [
      'token keys from a file system',
      { KEDGE_TOKEN_JWKS_FILE: '', KEDGE_TOKEN_JWKS_URL: 'file:///keys' },
      'KEDGE_TOKEN_JWKS_URL: expected a URL that begins with https:// or http://',
    ],
    [
      'blanks for an audience, which no token has',
      { KEDGE_TOKEN_AUDIENCE: ' ' },
      'KEDGE_TOKEN_AUDIENCE: expected a text that is not blank, got " "',
    ],
    [
      'blanks for the issuer of tokens, which would refuse every one',
      { KEDGE_TOKEN_ISSUER: ' ' },
      'KEDGE_TOKEN_ISSUER: expected a text that is not blank, got " "',
    ],
    [
      'an issuer that is not known',
      { KEDGE_ISSUER: 'acme' },
      'KEDGE_ISSUER: expected "local" or "vault" or "cert-manager", got "acme"',
    ],
    [
      'a namespace with dots',
      { KEDGE_CONTROL_NAMESPACE: 'a.b' },
      'KEDGE_CONTROL_NAMESPACE: expected a DNS label',
    ],
    [
      'a trust domain in capitals',
      { KEDGE_TRUST_DOMAIN: 'Example' },
      'KEDGE_TRUST_DOMAIN: expected a DNS name',
    ],
    [
      'a trust domain that leaves no room',
      { KEDGE_TRUST_DOMAIN: Array(40).fill('abcde').join('.') },
      'KEDGE_TRUST_DOMAIN: expected a name that leaves room for identities, got one that does not: expected the',
    ],
    ['no lifetime', { KEDGE_ISSUANCE_LIFETIME: '0s' }, 'KEDGE_ISSUANCE_LIFETIME: expected a duration'],
    [
      'a lifetime of years',
      { KEDGE_ISSUANCE_LIFETIME: '8760h' },
      'KEDGE_ISSUANCE_LIFETIME: expected a duration',
    ],
    ['a lifetime in days', { KEDGE_ISSUANCE_LIFETIME: '1d' }, 'KEDGE_ISSUANCE_LIFETIME: expected a duration'],
    [
      'a skew of an hour',
      { KEDGE_CLOCK_SKEW_ALLOWANCE: '1h' },
      'KEDGE_CLOCK_SKEW_ALLOWANCE: expected a duration',
    ],
    ['a rate of zero', { KEDGE_RATE_TOTAL: '0' }, 'KEDGE_RATE_TOTAL: expected an integer from 1'],
    ['a rate that is no number', { KEDGE_RATE_PER_PEER: 'many' }, 'KEDGE_RATE_PER_PEER: expected an integer'],
    [
      'an address without a port',
      { KEDGE_IDENTITY_LISTEN_ADDR: '0.0.0.0' },
      'KEDGE_IDENTITY_LISTEN_ADDR: expected',
    ],
    [
      'one address for two listeners',
      { KEDGE_IDENTITY_LISTEN_ADDR: '[::1]:8080', KEDGE_ADMIN_LISTEN_ADDR: '[::1]:8080' },
      'KEDGE_ADMIN_LISTEN_ADDR: expected an address that no other listener has, got [::1]:8080, which overlaps with KEDGE_IDENTITY_LISTEN_ADDR',
    ],
    [
      'a listener that takes the address of another',
      { KEDGE_IDENTITY_LISTEN_ADDR: '0.0.0.0:8080', KEDGE_ADMIN_LISTEN_ADDR: '127.0.0.1:8080' },
      'KEDGE_ADMIN_LISTEN_ADDR: expected an address that no other listener has, got 127.0.0.1:8080, which overlaps',
    ],
    ['a log level that is not known', { KEDGE_LOG_LEVEL: 'loud' }, 'KEDGE_LOG_LEVEL: expected "debug" or'],
  ])('refuses %s', (_, changed, line) => {
    const told = problems(changed);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(line);
  });

  it('needs no trust anchors where Vault shows one, but not without TLS', () => {
    const vault = {
      KEDGE_ISSUER: 'vault',
      KEDGE_ISSUER_LOCAL_DIR: undefined,
      KEDGE_TRUST_ANCHORS_FILE: undefined,
    };
    expect(read({ ...least, ...vault }).trustAnchorsFile).toBeUndefined();
    const plain = {
      ...vault,
      KEDGE_VAULT_ADDR: 'http://127.0.0.1:8200',
      KEDGE_VAULT_ALLOW_PLAINTEXT: 'true',
    };
    expect(problems(plain)).toEqual([
      'KEDGE_TRUST_ANCHORS_FILE: expected the trust anchors, as KEDGE_VAULT_ADDR is without TLS, got neither this nor KEDGE_VAULT_ANCHOR_SHA256',
    ]);
    expect(() => read({ ...least, ...plain, KEDGE_VAULT_ANCHOR_SHA256: 'ab'.repeat(32) })).not.toThrow();
  });

  it.each([
    ['https', { KEDGE_TOKEN_JWKS_URL: 'https://tokens.example/jwks' }],
    ['loopback', { KEDGE_TOKEN_JWKS_URL: 'http://127.0.0.1:8000/jwks' }],
    [
      'a host that was named',
      { KEDGE_TOKEN_JWKS_URL: 'http://keys.internal/jwks', KEDGE_TOKEN_JWKS_HTTP_HOSTS: 'keys.internal' },
    ],
  ])('takes token keys from %s', (_, changed) => {
    expect(read({ ...least, KEDGE_TOKEN_JWKS_FILE: '', ...changed }).tokenJwksUrl?.pathname).toBe('/jwks');
  });
});
