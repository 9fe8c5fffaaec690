import { homedir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import type { Environment } from '../runtime/env.ts';
import type { Answer } from './answer.ts';
import type { Respond } from './respond.ts';
import { EXIT, outputOption } from './respond.ts';
import { untilInterrupted } from './until-interrupted.ts';

interface DoctorOptions {
  set: Record<string, string>;
  kubeconfig?: string;
  ownToken?: true;
  print?: true;
  output: 'text' | 'json';
}

/** `kedge doctor issuer`: does the CA sign what it should, and nothing else. */
export function addDoctorCommand(program: Command, respond: Respond, environment: Environment): void {
  const doctor = program
    .command('doctor')
    .summary('look for what is wrong')
    .description('Looks for what is wrong.');
  doctor
    .command('issuer')
    .summary('try whether the CA signs what it should, and nothing else')
    .description(
      'Tries the CA that the settings of the identity service name: whether it signs for workloads, and refuses what it should. Says for each what was seen and what to do about it.',
    )
    .option(
      '--set <name=value>',
      'a setting of the identity service, over the one in the environment; may be given several times',
      (text: string, before: Record<string, string>) => ({ ...before, ...parseSetting(text) }),
      {},
    )
    .option('--kubeconfig <file>', 'how to reach the API server from outside of the cluster')
    .option(
      '--own-token',
      'log in to Vault with VAULT_TOKEN of the environment, or the token in ~/.vault-token',
    )
    .option('--print', 'print what suffices in Vault or the cluster, ready to apply, and ask nobody')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) =>
      respond(options.output, () => (options.print ? printAnswer : issuerAnswer)(options, environment)),
    );
}

const HELP = `
The settings are those of the identity service (docs/configuration.md), from the environment: in its pod they are all there.
Whatever is signed on trial lives for minutes where the CA lets it, and its key is thrown away at once.

Exit codes: 0 every check passed, or does not apply; 1 one failed; 2 none failed, and something should be seen to; 64 wrong
usage or settings.

Examples:
  kubectl -n kedge exec deploy/kedge-identity -- node /kedge/kedge.mjs doctor issuer
  kedge doctor issuer --set KEDGE_ISSUER=vault --set KEDGE_VAULT_ADDR=https://vault.example.org:8200 --own-token
  kedge doctor issuer --set KEDGE_ISSUER=vault --print | sh
  kedge doctor issuer --set KEDGE_ISSUER=cert-manager --set KEDGE_ISSUER_MODE=direct --print | kubectl apply -f -`;

async function issuerAnswer(options: DoctorOptions, environment: Environment): Promise<Answer> {
  // Loaded when they are needed: the clients of Vault and of the API server are large.
  const { readDoctorConfig } = await import('./doctor/settings.ts');
  const { examineIssuer } = await import('./doctor/examine.ts');
  const { reportOf } = await import('./doctor/report.ts');
  const { renderDoctor } = await import('./doctor/render.ts');
  const { readOwnToken } = await import('./doctor/own-token.ts');
  const { meshOf } = await import('./doctor/mesh.ts');
  const config = readDoctorConfig(environmentOf(options, environment), options.set, true);
  const ownToken = options.ownToken ? await readOwnToken(environment) : undefined;
  const findings = await untilInterrupted((signal) =>
    examineIssuer({ config, ownToken, clock: systemClock, signal }),
  );
  const report = reportOf(config, meshOf(config).identity.dnsName, findings);
  const code = { pass: EXIT.ok, fail: EXIT.failed, warn: EXIT.warned }[report.result];
  return { ok: report.result !== 'fail', code, json: report, text: (paint) => renderDoctor(report, paint) };
}

async function printAnswer(options: DoctorOptions, environment: Environment): Promise<Answer> {
  const { readDoctorConfig } = await import('./doctor/settings.ts');
  const { printSetup } = await import('./doctor/print.ts');
  const setup = printSetup(readDoctorConfig(environmentOf(options, environment), options.set, false));
  return { ok: true, json: setup, text: () => setup.text };
}

/** Outside of a cluster, where the clients of Kubernetes have their configuration. */
function environmentOf({ set, kubeconfig }: DoctorOptions, environment: Environment): Environment {
  const merged = { ...environment, ...set };
  if (kubeconfig !== undefined) return { ...merged, KEDGE_KUBECONFIG: kubeconfig };
  if (merged['KEDGE_KUBECONFIG'] || merged['KUBERNETES_SERVICE_HOST']) return merged;
  return { ...merged, KEDGE_KUBECONFIG: path.join(homedir(), '.kube', 'config') };
}

function parseSetting(text: string): Record<string, string> {
  const [name = ''] = text.split('=', 1);
  if (!/^(KEDGE_[A-Z0-9_]+)$/.test(name) || name.length === text.length) {
    throw new InvalidArgumentError(
      'Expected NAME=VALUE with the name of a setting, such as KEDGE_ISSUER=vault.',
    );
  }
  return { [name]: text.slice(name.length + 1) };
}
