import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../runtime/env.ts';
import { cliErrors } from '../errors.ts';
import { readSmallFile } from '../read-file.ts';

/** The token of whoever runs the command, where the clients of Vault and OpenBao have it: VAULT_TOKEN, or `~/.vault-token`. */
export async function readOwnToken(environment: Environment): Promise<string> {
  const given = environment['VAULT_TOKEN'] || environment['BAO_TOKEN'];
  const text = given || (await readSmallFile(path.join(homedir(), '.vault-token'))).toString('utf8');
  if (/^[\x21-\x7e]{1,16384}$/.test(text.trim())) return text.trim();
  throw cliErrors.error(
    'vault_token_unusable',
    'expected a token in VAULT_TOKEN or ~/.vault-token, got something that cannot be one',
  );
}
