import { onVault } from '../vault/support/on-vault.ts';
import { vault } from '../vault/support/vault-programs.ts';
import { VaultBackend } from './columns/vault-backend.ts';
import { vaultDirect } from './columns/vault-direct.ts';
import { vaultIntermediate } from './columns/vault-intermediate.ts';
import { conformance } from './conformance.ts';

onVault('a real server of the Vault API:', (server) => {
  const backend = new VaultBackend(server);
  afterAll(() => backend.end());
  const { title } = server;
  const which = title === vault.title ? 'Vault' : 'OpenBao';
  conformance(vaultDirect(backend, `vault direct, ${which}`, `real ${title}`));
  conformance(vaultIntermediate(backend, `vault intermediate, ${which}`, `real ${title}`));
});
