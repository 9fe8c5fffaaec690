import type { Command } from 'commander';
import type { OutputFormat } from './answer.ts';
import { outputOption } from './respond.ts';

interface DemoCommandOptions {
  keep?: boolean;
  output: OutputFormat;
}

/** `kedge demo`: the main job with real processes on this machine, each claim proven. */
export function addDemoCommand(program: Command, exit: (code: number) => void): void {
  program
    .command('demo')
    .summary('run everything on this machine and prove what it does')
    .description(
      'Starts an identity service, a destination service and proxies on loopback and proves what they do: certificates, mutual TLS, refusals, renewal.',
    )
    .option('--keep', 'leave it running afterwards and print commands to try')
    .addOption(outputOption())
    .addHelpText('after', '\nExit codes: 0 every proof holds; 1 one does not; 64 wrong usage.')
    .action(async ({ keep = false, output }: DemoCommandOptions) => {
      // Only here, because the other commands should not wait for what the demo loads.
      const { runDemo } = await import('./demo/demo.ts');
      exit(await runDemo({ keep, output }));
    });
}
