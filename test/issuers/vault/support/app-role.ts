import { noteSecret } from '../../../secrets/run-record.ts';
import type { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import type { VaultAdmin } from './vault-server.ts';

/** Fields of the tokens that a log-in gives. */
export interface TokenFields {
  readonly token_ttl?: string;
  readonly token_max_ttl?: string;
  readonly token_type?: string;
  readonly token_policies?: readonly string[];
}

/** Enables AppRole and makes the role `kedge` with the policy `kedge`; gives the settings that log in with it. */
export async function enableAppRole(
  server: VaultAdmin,
  directory: TemporaryDirectory,
  fields: TokenFields = {},
): Promise<Readonly<Record<string, string>>> {
  await server.expect('sys/auth/approle', { body: { type: 'approle' } });
  await setAppRole(server, fields);
  const role = await server.expect<{ data: { role_id: string } }>('auth/approle/role/kedge/role-id');
  const secret = await server.expect<{ data: { secret_id: string } }>('auth/approle/role/kedge/secret-id', {
    method: 'POST',
  });
  noteSecret('a secret id of Vault', secret.data.secret_id);
  directory.write({ 'role-id': role.data.role_id, 'secret-id': `${secret.data.secret_id}\n` });
  return {
    KEDGE_VAULT_AUTH: 'approle',
    KEDGE_VAULT_ROLE_ID_FILE: directory.file('role-id'),
    KEDGE_VAULT_SECRET_ID_FILE: directory.file('secret-id'),
  };
}

export async function setAppRole(server: VaultAdmin, fields: TokenFields): Promise<void> {
  const body = { token_policies: ['kedge'], token_ttl: '1h', token_max_ttl: '4h', ...fields };
  await server.expect('auth/approle/role/kedge', { body });
}
