import { errorMessage } from '../../runtime/errors.ts';
import { readFiles } from '../../runtime/read-files.ts';
import { vaultErrors } from './errors.ts';
import type { VaultClient } from './vault-client.ts';
import { isHeaderValue, tokenOf, type VaultToken } from './vault-token.ts';

/** A way to get a token. Files are read each time: others write them anew. */
export interface VaultLogin {
  /** For people: `auth/kubernetes/login as kedge`. */
  readonly description: string;
  /** Rejects with an error of the vault catalogue. */
  logIn(signal: AbortSignal): Promise<VaultToken>;
}

export interface LoginOptions {
  readonly method: 'kubernetes' | 'jwt' | 'approle' | 'cert' | 'token-file';
  /** The method's own name unless given. */
  readonly mount: string | undefined;
  readonly role: string;
  readonly jwtFile: string;
  readonly roleIdFile: string | undefined;
  readonly secretIdFile: string | undefined;
  readonly tokenFile: string | undefined;
}

/** How often the token of another program is read again. */
const tokenFileMs = 15_000;

/** The log-in of the settings; the client presents the certificate of "cert" in any case. */
export function vaultLogin(client: Pick<VaultClient, 'write'>, options: LoginOptions): VaultLogin {
  const { method, mount = method, role } = options;
  if (method === 'token-file') return tokenFileLogin(options.tokenFile ?? '');
  const path = `auth/${mount}/login`;
  return {
    description: method === 'approle' ? path : `${path} as ${role}`,
    logIn: async (signal) =>
      tokenOf(await client.write(path, await credentials(options), { signal, login: true }), path),
  };
}

async function credentials(options: LoginOptions): Promise<object> {
  const { method, role, jwtFile, roleIdFile = '', secretIdFile = '' } = options;
  if (method === 'cert') return { name: role };
  if (method !== 'approle') return { role, jwt: await secretIn(jwtFile) };
  return { role_id: await secretIn(roleIdFile), secret_id: await secretIn(secretIdFile) };
}

/** Vault Agent and the like renew what they write, so it is read again before long and never renewed here. */
function tokenFileLogin(file: string): VaultLogin {
  return {
    description: file,
    logIn: async () => ({
      value: await secretIn(file),
      leaseMs: 1.5 * tokenFileMs,
      renewable: false,
      own: false,
    }),
  };
}

async function secretIn(file: string): Promise<string> {
  let got: string;
  try {
    const text = (await readFiles({ paths: [file] })).get(file)?.toString('utf8').trim() ?? '';
    if (isHeaderValue(text)) return text;
    got = text === '' ? 'an empty one' : 'something else';
  } catch (error) {
    got = errorMessage(error);
  }
  throw vaultErrors.error('vault_credentials_missing', `expected a credential in ${file}, got ${got}`);
}
