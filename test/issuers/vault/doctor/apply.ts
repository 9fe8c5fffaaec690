import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import type { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import type { VaultServer } from '../support/vault-server.ts';

const execute = promisify(execFile);

/** Runs what was printed, as an administrator of the server would. */
export async function apply(
  script: string,
  server: VaultServer,
  directory: TemporaryDirectory,
): Promise<string> {
  const bin = directory.file('bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  symlinkSync(server.program, `${bin}/vault`);
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: directory.path,
    VAULT_ADDR: server.address,
    VAULT_CACERT: server.caFile,
    VAULT_TOKEN: server.rootToken,
  };
  const { stdout } = await execute('/bin/sh', ['-c', script], { env, cwd: directory.path });
  return stdout;
}
