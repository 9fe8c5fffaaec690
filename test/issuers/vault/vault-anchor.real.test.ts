import { checkIssuerConfig, type IssuerConfig } from '../../../src/issuers/create-issuer.ts';
import { issuerSettings } from '../../../src/issuers/settings.ts';
import { readVaultAnchor } from '../../../src/issuers/vault/vault-anchor.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';

const { signal } = new AbortController();

onVault('readVaultAnchor', (server) => {
  const root = TestCa.create();
  const middle = root.intermediate();

  beforeAll(async () => {
    await new MeshPki(server).create(middle);
    await new MeshPki(server, 'teams/lone').create(root.intermediate(), { withChain: false });
  });

  const config = (env: Readonly<Record<string, string>>): IssuerConfig => {
    const common = { KEDGE_ISSUER: 'vault', KEDGE_VAULT_ADDR: server.address };
    const given = { ...common, KEDGE_VAULT_CA_FILE: server.caFile, ...env };
    return readEnvironment(issuerSettings, given, checkIssuerConfig);
  };
  const read = async (env: Readonly<Record<string, string>> = {}): Promise<[string, LogCapture]> => {
    const log = new LogCapture();
    const bundle = await readVaultAnchor(config(env), { clock: systemClock, log }, signal);
    return [bundle.pem, log];
  };

  it('takes the self-signed CA above the one that signs, and shows it', async () => {
    const [pem, log] = await read();
    expect(pem).toBe(root.certificate.pem);
    expect(log.records).toMatchObject([
      {
        level: 'warn',
        message: 'trust anchor taken from Vault, since none was given; compare its fingerprint',
        fields: { anchor: root.certificate.label, fingerprint: root.certificate.fingerprint },
      },
    ]);
  });

  it('takes the one with the fingerprint that was given, be it not self-signed', async () => {
    const [pem, log] = await read({
      KEDGE_VAULT_ANCHOR_SHA256: middle.certificate.fingerprint.toUpperCase(),
    });
    expect(pem).toBe(middle.certificate.pem);
    expect(log.records).toMatchObject([{ level: 'info' }]);
  });

  it('takes none with another fingerprint, and says which are there', async () => {
    const refusal = await refusalOf(read({ KEDGE_VAULT_ANCHOR_SHA256: 'ab'.repeat(32) }));
    expect(refusal).toContain(`a CA with the SHA-256 ${'ab'.repeat(32)}; got `);
    expect(refusal).toContain(root.certificate.fingerprint);
  });

  it('takes none where the mount has only an intermediate', async () => {
    const refusal = await refusalOf(read({ KEDGE_VAULT_PKI_MOUNT: 'teams/lone' }));
    expect(refusal).toContain('expected a trust anchor in Vault: a self-signed CA above the one that signs');
  });

  it('takes none from a server whose certificate does not verify', async () => {
    const refusal = await refusalOf(read({ KEDGE_VAULT_CA_FILE: '' }));
    expect(refusal).toContain('to answer pki/issuer/default/json, got ');
    expect(refusal).toContain('vault_certificate_untrusted');
  });

  it('says that the mount is not there', async () => {
    expect(await refusalOf(read({ KEDGE_VAULT_PKI_MOUNT: 'none' }))).toContain('vault_path_missing');
  });
});
