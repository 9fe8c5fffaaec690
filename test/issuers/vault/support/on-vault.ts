import { openBao, vault, type VaultProgram } from './vault-programs.ts';
import { VaultServer } from './vault-server.ts';

/** Far longer than a start takes where nothing else runs. */
const startWithinMs = 120_000;

export interface OnVaultOptions {
  readonly nodes?: number;
}

/**
 * A `describe` for each program of the Vault API that is at hand, with a server of its own that is started before its tests
 * and ended after them. Skipped, with the reason in its name, where OpenBao is not there; Vault is tried only where it is.
 */
export function onVault(
  name: string,
  tests: (server: VaultServer) => void,
  options: OnVaultOptions = {},
): void {
  for (const program of [openBao, vault]) {
    if (program.missing === undefined) describeOn(program, name, tests, options);
    else if (program === openBao) {
      describe.skip(`${name} (skipped: ${program.missing})`, () => tests(new VaultServer(program)));
    }
  }
}

function describeOn(
  program: VaultProgram,
  name: string,
  tests: (server: VaultServer) => void,
  { nodes = 1 }: OnVaultOptions,
): void {
  describe(`${name}, on ${program.title}`, () => {
    const server = new VaultServer(program, nodes);
    beforeAll(() => server.start(), startWithinMs);
    afterAll(() => server.end(), startWithinMs);
    tests(server);
  });
}
