import { errorCode } from '../../runtime/errors.ts';
import { vaultErrors } from './errors.ts';
import { pkiAnswer, type PkiAnswer } from './pki-answer.ts';
import type { PkiPaths } from './pki-paths.ts';
import type { VaultClient } from './vault-client.ts';

/**
 * The CA in the PKI mount, which anybody may read. Rejects with `vault_path_missing` where there is none, also where the server
 * says that it is forbidden: so it answers without a token for a mount that it does not have.
 */
export async function readMountCa(
  client: Pick<VaultClient, 'read'>,
  paths: Pick<PkiPaths, 'issuer' | 'chain'>,
  signal: AbortSignal,
): Promise<PkiAnswer> {
  try {
    return pkiAnswer(await client.read(paths.issuer, { signal }), paths.issuer);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'vault_forbidden') {
      const message = `expected a PKI mount with an issuer at ${paths.issuer}, got neither`;
      throw vaultErrors.error('vault_path_missing', message, { cause: error });
    }
    // Before version 1.11 a mount has one issuer, and no path for it.
    if (code !== 'vault_path_missing' || !paths.issuer.endsWith('/issuer/default/json')) throw error;
    return readOnlyCa(client, paths.chain, signal, error);
  }
}

async function readOnlyCa(
  client: Pick<VaultClient, 'read'>,
  path: string,
  signal: AbortSignal,
  otherwise: unknown,
): Promise<PkiAnswer> {
  try {
    return pkiAnswer(await client.read(path, { signal }), path);
  } catch {
    signal.throwIfAborted();
    throw otherwise;
  }
}
