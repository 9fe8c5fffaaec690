import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { isDnsLabel, isDnsName } from '../runtime/dns-names.ts';
import type { Answer } from './answer.ts';
import { renderBootstrap } from './bootstrap/render.ts';
import { reportBootstrap } from './bootstrap/report.ts';
import { givenWord } from './given-word.ts';
import { parseLifetime } from './lifetime.ts';
import type { Respond } from './respond.ts';
import { outputOption } from './respond.ts';

interface BootstrapCommandOptions {
  trustDomain: string;
  controlNamespace: string;
  anchorLifetime: number;
  issuerLifetime: number;
  anchorCert?: string;
  anchorKey?: string;
  output: 'text' | 'json';
}

/** `kedge bootstrap DIR`: the trust anchor and the issuer of a mesh, made or completed. */
export function addBootstrapCommand(program: Command, respond: Respond): void {
  program
    .command('bootstrap')
    .summary('make or complete the trust anchor and the issuer of a mesh')
    .description(
      'Makes the trust anchor and the issuer of a mesh in a directory, or completes what is there. Never overwrites.',
    )
    .argument('<dir>', 'the directory; made when it is not there', givenWord('a directory'))
    .option('--trust-domain <name>', 'trust domain of the mesh', parseTrustDomain, 'cluster.local')
    .option('--control-namespace <name>', 'namespace of the control plane', parseNamespace, 'kedge')
    .addOption(lifetimeOption('anchor', '10y'))
    .addOption(lifetimeOption('issuer', '1y'))
    .option(
      '--anchor-cert <file>',
      'the certificate of an anchor you have already; copied into the directory',
    )
    .option('--anchor-key <file>', 'the key of the anchor, when it is kept elsewhere; used, not copied')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((directory: string, options: BootstrapCommandOptions) =>
      respond(options.output, () => bootstrapAnswer(directory, options)),
    );
}

const HELP = `
Files made in <dir>, keys with mode 0600:
  ca-bundle.crt                                  the trust anchors, for every process
  anchor/tls.crt  anchor/tls.key                 take the key offline: only a new issuer needs it
  issuer/tls.crt  issuer/tls.key  issuer/ca.crt  the issuer (KEDGE_ISSUER_LOCAL_DIR)

Durations: 10y, 90d, 24h, 1h30m, 20s. A year has 365 days.

Exit codes: 0 everything is there and verifies; 1 it is not, and nothing was overwritten; 64 wrong usage.

Examples:
  kedge bootstrap ca
  kedge bootstrap ca --trust-domain example.org --issuer-lifetime 90d
  kedge bootstrap ca --anchor-cert root.crt --anchor-key /media/usb/root.key`;

async function bootstrapAnswer(directory: string, options: BootstrapCommandOptions): Promise<Answer> {
  // Loaded when it is needed: making certificates takes a library that the other commands do without.
  const { bootstrap } = await import('./bootstrap/bootstrap.ts');
  const result = await bootstrap({
    directory,
    trustDomain: options.trustDomain,
    controlNamespace: options.controlNamespace,
    anchorLifetimeMs: options.anchorLifetime,
    issuerLifetimeMs: options.issuerLifetime,
    anchorCertificateFile: options.anchorCert,
    anchorKeyFile: options.anchorKey,
    clock: systemClock,
  });
  const report = reportBootstrap(result);
  return { ok: true, json: report, text: (paint) => renderBootstrap(report, paint) };
}

/** Longest lifetime: dates beyond the year 9999 cannot be written in a certificate. */
const MAX_LIFETIME = '1000y';

function lifetimeOption(what: 'anchor' | 'issuer', usual: string): Option {
  return new Option(`--${what}-lifetime <duration>`, `lifetime of a new ${what}`)
    .argParser(parsePositive)
    .default(parseLifetime(usual), usual);
}

function parsePositive(text: string): number {
  const ms = parseLifetime(text);
  if (ms === undefined || ms <= 0 || ms > (parseLifetime(MAX_LIFETIME) ?? 0)) {
    throw new InvalidArgumentError(`Expected a duration up to ${MAX_LIFETIME}, such as 10y, 90d or 24h.`);
  }
  return ms;
}

function parseTrustDomain(text: string): string {
  if (!isDnsName(text))
    throw new InvalidArgumentError('Expected a DNS name in lower case, such as cluster.local.');
  return text;
}

function parseNamespace(text: string): string {
  if (!isDnsLabel(text)) throw new InvalidArgumentError('Expected the name of a namespace, such as kedge.');
  return text;
}
