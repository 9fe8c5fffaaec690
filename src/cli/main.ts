import { Command, CommanderError } from 'commander';
import { addBootstrapCommand } from './bootstrap.ts';
import { addDemoCommand } from './demo.ts';
import { addIdentityCommand } from './identity.ts';
import { EXIT, responder } from './respond.ts';
import { version } from './version.ts';

process.exitCode = await run(process.argv.slice(2));

/** Runs one command line and gives the exit code. */
async function run(args: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) closes the pipe; that is no failure of the command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  let code: number = EXIT.ok;
  const exit = (value: number): void => void (code = value);
  const program = new Command('kedge')
    .description('Workload identity and mutual TLS, signed by the CA you already run.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .helpCommand(false);
  const respond = responder(process, exit);
  addDemoCommand(program, exit);
  addBootstrapCommand(program, respond);
  addIdentityCommand(program, respond);
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}
