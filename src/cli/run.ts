import { Command, CommanderError } from 'commander';
import type { Environment } from '../runtime/env.ts';
import { addBootstrapCommand } from './bootstrap.ts';
import { addCertifyCommand } from './certify.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addDevVaultCommand } from './dev-vault.ts';
import { addIdentityCommand } from './identity.ts';
import { addIssuerCommand } from './issuer.ts';
import type { Streams } from './respond.ts';
import { EXIT, responder } from './respond.ts';
import { version } from './version.ts';

/** Where a command runs: a process, or a test. */
export interface Surroundings extends Streams {
  /** Empty unless given. */
  readonly env?: Environment;
}

/** Runs one command line (without the program's name) and gives its exit code (docs/cli.md). */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, env = {} } = surroundings;
  const streams = { stdout, stderr };
  let code: number = EXIT.ok;
  const exit = (value: number): void => {
    code = value;
  };
  const program = new Command('kedge')
    .description('Workload identity and mutual TLS, signed by the CA you already run.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'kedge:')),
    })
    .showHelpAfterError('(add --help for what there is)')
    .helpCommand(false);
  const respond = responder(streams, exit);
  addDemoCommand(program, exit);
  addBootstrapCommand(program, respond);
  addIdentityCommand(program, respond);
  addIssuerCommand(program, respond);
  addDoctorCommand(program, respond, env);
  addDevVaultCommand(program, respond);
  addCertifyCommand(program, respond);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asking for help or the version is no error; everything else commander throws is wrong usage.
    code = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}
