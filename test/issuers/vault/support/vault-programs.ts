import { cacheDirectory } from '../../../cluster/binaries/cache-directory.ts';
import { missingOpenBao, openBaoProgram, openBaoTitle } from '../../../cluster/binaries/openbao.ts';
import { executable } from '../../../cluster/missing.ts';

/** A server of the Vault API that tests can start. */
export interface VaultProgram {
  readonly title: string;
  readonly path: string;
  /** Why it is not at hand and how to get it, in one line; undefined when it is. */
  readonly missing: string | undefined;
}

const vaultVersion = '1.19.0';
const vaultPath = cacheDirectory('vault', `v${vaultVersion}`, 'vault');

export const openBao: VaultProgram = {
  title: openBaoTitle,
  path: openBaoProgram,
  missing: missingOpenBao(),
};

/** Not fetched by anything here, since its licence is another: whoever has built it has it tried. */
export const vault: VaultProgram = {
  title: `Vault ${vaultVersion}`,
  path: vaultPath,
  missing: executable(vaultPath) ? undefined : `needs Vault ${vaultVersion} built into ${vaultPath}`,
};
