import { homedir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import type { Answer } from './answer.ts';
import type { DevVaultOptions } from './dev-vault/set-up.ts';
import { givenWord } from './given-word.ts';
import type { Respond } from './respond.ts';
import { outputOption } from './respond.ts';
import { table } from './table.ts';

interface DevVaultCommandOptions {
  address: URL;
  tokenFile: string;
  mode: DevVaultOptions['mode'];
  output: 'text' | 'json';
}

/** `kedge dev-vault DIR`: makes a development server of Vault or OpenBao the CA of a mesh. */
export function addDevVaultCommand(program: Command, respond: Respond): void {
  program
    .command('dev-vault')
    .summary('make a development server of Vault or OpenBao the CA of a mesh')
    .description(
      'Gives a development server (`vault server -dev`, `bao server -dev`) a CA, a role that signs for a mesh, a policy for nothing else and a token with that policy; writes what the identity service needs into a directory.',
    )
    .argument('<dir>', 'the directory; made when it is not there', givenWord('a directory'))
    .option('--address <url>', 'where the server is', parseAddress, new URL('http://127.0.0.1:8200'))
    .option(
      '--token-file <file>',
      'the root token; the server itself writes it to this place',
      path.join(homedir(), '.vault-token'),
    )
    .addOption(
      new Option('--mode <mode>', 'who signs a workload certificate: the server, or a CA that it signed')
        .choices(['direct', 'intermediate'])
        .default('direct'),
    )
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((directory: string, options: DevVaultCommandOptions) =>
      respond(options.output, () => devVaultAnswer(directory, options)),
    );
}

const HELP = `
In the server: the PKI engine kedge-dev with a CA, its role kedge-dev, the policy kedge-dev-direct or kedge-dev-intermediate. A
second run makes the role, the policy of its mode and a token anew, and leaves the CA; earlier tokens go on. To undo it: end the
server, which keeps nothing.

Files in <dir>:
  token              may have certificates signed for a day, and see what it may; mode 0600
  trust-anchors.crt  the CA
  identity.env       settings of the identity service; for kedge certify

Exit codes: 0 done; 1 not done; 64 wrong usage.

Examples:
  kedge dev-vault ./dev-vault
  kedge dev-vault ./dev-vault --mode intermediate`;

async function devVaultAnswer(directory: string, options: DevVaultCommandOptions): Promise<Answer> {
  // Loaded when it is needed: the library for Vault is large.
  const { setUpDevVault } = await import('./dev-vault/set-up.ts');
  const { address, mode, tokenFile } = options;
  const done = await setUpDevVault({ directory, address, mode, tokenFile, clock: systemClock });
  const rows = [
    ['PKI engine', done.mount],
    ['role', done.role],
    ['policy', done.policy],
    ['CA', `${done.ca}\nuntil ${done.until}\nsha256 ${done.sha256}`],
    ['token', done.tokenFile],
    ['settings', done.settingsFile],
  ];
  const text = `${address.origin} signs for a mesh now.\n\n${table(rows)}\nNext:\n  kedge certify ${done.settingsFile}\n`;
  return { ok: true, json: done, text: () => text };
}

function parseAddress(text: string): URL {
  const url = URL.parse(text);
  const fits = url?.pathname === '/' && /^https?:$/.test(url.protocol) && url.search + url.username === '';
  if (!fits) throw new InvalidArgumentError('Expected an address such as http://127.0.0.1:8200.');
  return url;
}
