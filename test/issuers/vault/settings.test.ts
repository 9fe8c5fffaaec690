import { checkIssuerConfig, type IssuerConfig } from '../../../src/issuers/create-issuer.ts';
import { issuerSettings } from '../../../src/issuers/settings.ts';
import { readEnvironment, type ConfigError, type Environment } from '../../../src/runtime/env.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const read = (env: Environment): IssuerConfig =>
  readEnvironment(issuerSettings, { KEDGE_ISSUER: 'vault', ...env }, checkIssuerConfig);

function problems(env: Environment): string[] {
  return (thrownBy(() => read(env)) as ConfigError).message.split('\n');
}

describe('vaultSettings', () => {
  it('needs nothing but the issuer, where everything is called as usual', () => {
    const { vaultAddress, ...config } = read({});
    expect(vaultAddress.href).toBe('https://vault.vault.svc:8200/');
    expect(config).toMatchObject({
      vaultAuth: 'kubernetes',
      vaultAuthMount: undefined,
      vaultAuthRole: 'kedge',
      vaultJwtFile: '/var/run/secrets/vault/token',
      vaultPkiMount: 'pki',
      vaultPkiRole: 'kedge',
      vaultPkiIssuer: undefined,
      vaultAllowPlaintext: false,
    });
  });

  it('takes mounts that are several folders deep', () => {
    const env = { KEDGE_VAULT_PKI_MOUNT: '/teams/mesh/pki/', KEDGE_VAULT_AUTH_MOUNT: 'clusters/one' };
    expect(read(env)).toMatchObject({ vaultPkiMount: 'teams/mesh/pki', vaultAuthMount: 'clusters/one' });
  });

  it('takes a fingerprint as OpenSSL prints it', () => {
    const printed = Array.from({ length: 32 }, () => 'AB').join(':');
    expect(read({ KEDGE_VAULT_ANCHOR_SHA256: printed }).vaultAnchorSha256).toBe('ab'.repeat(32));
  });

  it('takes a server without TLS only where that is allowed by name', () => {
    const env = { KEDGE_VAULT_ADDR: 'http://127.0.0.1:8200' };
    expect(problems(env)).toEqual([
      'KEDGE_VAULT_ADDR: expected https://, or KEDGE_VAULT_ALLOW_PLAINTEXT to be "true", got http://',
    ]);
    expect(read({ ...env, KEDGE_VAULT_ALLOW_PLAINTEXT: 'true' }).vaultAddress.port).toBe('8200');
  });

  it.each([
    [
      'any wish not to verify',
      { VAULT_SKIP_VERIFY: 'false' },
      'VAULT_SKIP_VERIFY: expected it not to be set',
    ],
    [
      'a mount that leaves its place',
      { KEDGE_VAULT_PKI_MOUNT: 'pki/../sys' },
      'KEDGE_VAULT_PKI_MOUNT: expected a mount',
    ],
    [
      'a mount with an empty folder',
      { KEDGE_VAULT_PKI_MOUNT: 'a//b' },
      'KEDGE_VAULT_PKI_MOUNT: expected a mount',
    ],
    ['a role with a slash', { KEDGE_VAULT_PKI_ROLE: 'a/b' }, 'KEDGE_VAULT_PKI_ROLE: expected a name'],
    ['a role with a query', { KEDGE_VAULT_PKI_ROLE: 'a?b=c' }, 'KEDGE_VAULT_PKI_ROLE: expected a name'],
    [
      'an address with a path',
      { KEDGE_VAULT_ADDR: 'https://v/v1' },
      'KEDGE_VAULT_ADDR: expected an address without a path',
    ],
    [
      'half a fingerprint',
      { KEDGE_VAULT_ANCHOR_SHA256: 'abcd' },
      'KEDGE_VAULT_ANCHOR_SHA256: expected a SHA-256',
    ],
    [
      'a token file that is not named',
      { KEDGE_VAULT_AUTH: 'token-file' },
      'KEDGE_VAULT_TOKEN_FILE: expected a file',
    ],
    [
      'a secret id that is not named',
      { KEDGE_VAULT_AUTH: 'approle', KEDGE_VAULT_ROLE_ID_FILE: '/id' },
      'KEDGE_VAULT_SECRET_ID_FILE: expected a file, as KEDGE_VAULT_AUTH is "approle"',
    ],
    ['a bootstrap', { KEDGE_ISSUER_BOOTSTRAP: 'true' }, 'KEDGE_ISSUER_BOOTSTRAP: expected "false"'],
  ])('refuses %s', (_, env, line) => {
    const told = problems(env);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(line);
  });

  it('leaves the variables of Vault alone where another issuer signs', () => {
    const env = { KEDGE_ISSUER: 'local', KEDGE_ISSUER_LOCAL_DIR: '/ca', VAULT_SKIP_VERIFY: 'true' };
    expect(() => read(env)).not.toThrow();
  });
});
