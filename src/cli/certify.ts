import type { Command } from 'commander';
import type { Answer } from './answer.ts';
import { givenWord } from './given-word.ts';
import { renderIdentity } from './identity/render.ts';
import type { Respond } from './respond.ts';
import { outputOption } from './respond.ts';
import { untilInterrupted } from './until-interrupted.ts';

interface CertifyCommandOptions {
  output: 'text' | 'json';
}

/** `kedge certify FILE`: one certificate, by an identity service with the settings in a file. */
export function addCertifyCommand(program: Command, respond: Respond): void {
  program
    .command('certify')
    .summary('have one certificate signed by the issuer of given settings, without Kubernetes')
    .description(
      'Starts an identity service on loopback with the issuer and the trust anchors of a file of settings, asks it for the certificate of a workload as a proxy does, shows that, and ends it.',
    )
    .argument('<file>', 'settings of the identity service, a line each: NAME=value', givenWord('a file'))
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((file: string, options: CertifyCommandOptions) =>
      respond(options.output, () => certifyAnswer(file)),
    );
}

const HELP = `
The file holds the issuer (KEDGE_ISSUER and what belongs to it) and KEDGE_TRUST_ANCHORS_FILE; addresses and whose tokens are
believed are settled here. The workload is the ServiceAccount web of the namespace shop, in the trust domain cluster.local with
the control namespace kedge. Nothing is kept: its key goes with the command.

Exit codes: 0 signed, and verified as a peer would; 1 not; 64 wrong usage.

Examples:
  kedge dev-vault ./dev-vault && kedge certify ./dev-vault/identity.env`;

async function certifyAnswer(file: string): Promise<Answer> {
  // Loaded when it is needed: it starts processes.
  const { certifyOnce } = await import('./certify/certify-once.ts');
  const report = await untilInterrupted((signal) => certifyOnce({ file, signal }));
  return {
    ok: report.verification.state === 'verified',
    json: report,
    text: (paint) => renderIdentity(report, paint),
  };
}
