import { rmSync } from 'node:fs';
import { eventually } from '../../support/eventually.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { VaultClient } from '../../../src/issuers/vault/vault-client.ts';
import {
  VaultConnections,
  type VaultConnectionsOptions,
} from '../../../src/issuers/vault/vault-connections.ts';
import { systemClock as clock } from '../../../src/runtime/clock.ts';
import { request } from '../support/issue-request.ts';
import { enableAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import type { VaultAdmin } from './support/vault-server.ts';
import { VaultRig } from './support/vault-rig.ts';

const { signal } = new AbortController();

onVault('a connection to Vault', (server) => {
  const directory = new TemporaryDirectory();
  const ended = new AbortController();
  afterAll(() => {
    ended.abort();
    directory[Symbol.dispose]();
  });

  const clientOf = async (options: Partial<VaultConnectionsOptions>): Promise<VaultClient> => {
    const address = new URL(server.address);
    const usual = {
      address,
      caFile: server.caFile,
      serverName: undefined,
      client: undefined,
      maxConnections: 2,
      clock,
    };
    const connections = new VaultConnections({ ...usual, ...options });
    await connections.start(ended.signal);
    return new VaultClient({
      ...{ address: options.address ?? address, connections, namespace: undefined, timeoutMs: 5_000, clock },
    });
  };

  it('is verified by the CA in the file, and by the name that it was asked by', async () => {
    expect(await (await clientOf({})).health(signal)).toMatchObject({ initialised: true, sealed: false });
    const byName = await clientOf({ serverName: 'localhost' });
    expect(await byName.health(signal)).toMatchObject({ sealed: false });
  });

  it('is refused where the CA is another', async () => {
    directory.write({ 'other.crt': TestCa.create().certificate.pem });
    const client = await clientOf({ caFile: directory.file('other.crt') });
    expect(await refusalOf(client.health(signal))).toMatch(
      /^vault_certificate_untrusted: expected https:\/\/127/,
    );
  });

  it('is refused where the name is another', async () => {
    const client = await clientOf({ serverName: 'vault.vault.svc' });
    const refusal = await refusalOf(client.health(signal));
    expect(refusal).toContain('vault_certificate_name');
    expect(refusal).toContain('vault.vault.svc');
  });

  it('is not made without TLS', async () => {
    const client = await clientOf({ address: new URL(server.address.replace('https', 'http')) });
    expect(await refusalOf(client.health(signal))).toMatch(/^vault_(answer_malformed|request_refused): /);
  });

  it('is verified by the CA that the file holds now', async () => {
    directory.write({ 'late.crt': TestCa.create().certificate.pem });
    const client = await clientOf({ caFile: directory.file('late.crt') });
    expect(await refusalOf(client.health(signal))).toContain('vault_certificate_untrusted');
    directory.write({ 'late.crt': server.ca });
    await eventually(() => client.health(signal));
    rmSync(directory.file('late.crt'));
    expect(await client.health(signal)).toMatchObject({ sealed: false });
  });

  it('is not tried before its files were there', async () => {
    const client = await clientOf({ caFile: directory.file('none.crt') });
    expect(await refusalOf(client.health(signal))).toContain('vault_credentials_missing');
    directory.write({ 'none.crt': server.ca });
    await eventually(() => client.health(signal));
  });

  it('leads to mounts that are several folders deep, in a namespace where the server has them', async () => {
    const root = TestCa.create();
    const namespaces = await server
      .node(0)
      .call('sys/namespaces/mesh', { method: 'POST', body: {}, token: server.rootToken });
    const inNamespace = namespaces.status < 300 ? 'mesh/' : '';
    const inside: VaultAdmin = { expect: (path, options) => server.expect(`${inNamespace}${path}`, options) };
    await new MeshPki(inside, 'teams/one/pki').create(root.intermediate());
    const login = await enableAppRole(inside, directory);
    const env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
    const place = {
      KEDGE_VAULT_PKI_MOUNT: 'teams/one/pki',
      ...(inNamespace !== '' && { KEDGE_VAULT_NAMESPACE: 'mesh' }),
    };
    await using rig = await VaultRig.start({ env: { ...env, ...place }, bundle: root.bundle });
    await rig.ready();
    await rig.issuer.issue(request, signal);
  });
});
