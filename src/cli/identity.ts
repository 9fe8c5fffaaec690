import { isIP } from 'node:net';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { isDnsName } from '../runtime/dns-names.ts';
import type { Answer } from './answer.ts';
import { givenWord } from './given-word.ts';
import { parseLifetime } from './lifetime.ts';
import { inspectIdentity } from './identity/inspect-identity.ts';
import { renderIdentity } from './identity/render.ts';
import type { Respond } from './respond.ts';
import { outputOption } from './respond.ts';

interface IdentityOptions {
  name?: string;
  anchors?: string;
  timeout: number;
  output: 'text' | 'json';
}

/** `kedge identity FILE|HOST:PORT`: what certificate is that, until when, and does it verify. */
export function addIdentityCommand(program: Command, respond: Respond): void {
  const timeout = new Option('--timeout <duration>', 'how long to wait for a server')
    .argParser(parseTimeout)
    .default(5_000, '5s');
  program
    .command('identity')
    .summary('show the certificate chain of a file or of a running proxy')
    .description(
      'Shows the certificate chain in a file (PEM or DER; a private key in it is ignored) or the one that a server shows.',
    )
    .argument(
      '<file|host:port>',
      'where to look; a file of that name goes first',
      givenWord('a file or host:port'),
    )
    .option(
      '--name <identity>',
      'the identity of the server: asked for in the handshake, compared when checked',
      parseName,
    )
    .option(
      '--anchors <file>',
      'trust anchors (ca-bundle.crt) to verify against; without them nothing is checked',
    )
    .addOption(timeout)
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((target: string, options: IdentityOptions) =>
      respond(options.output, () => identityAnswer(target, options)),
    );
}

const HELP = `
A proxy shows its certificate on its inbound port (4143) and its admin port (4191), and only to a client that names the
proxy's identity: give it with --name, as <service account>.<namespace>.serviceaccount.identity.<control namespace>.<trust domain>.

Exit codes: 0 shown (and verified, when asked); 1 not verified, or nothing could be read; 64 wrong usage.

Examples:
  kedge identity ca/issuer/tls.crt --anchors ca/ca-bundle.crt
  kedge identity 10.0.0.7:4143 --name api.shop.serviceaccount.identity.kedge.cluster.local --anchors ca/ca-bundle.crt`;

async function identityAnswer(target: string, { name, anchors, timeout }: IdentityOptions): Promise<Answer> {
  const report = await inspectIdentity({
    target,
    name,
    anchorsFile: anchors,
    timeoutMs: timeout,
    clock: systemClock,
  });
  return {
    ok: report.verification.state !== 'failed',
    json: report,
    text: (paint) => renderIdentity(report, paint),
  };
}

function parseName(text: string): string {
  if (!isDnsName(text) || isIP(text) !== 0) {
    throw new InvalidArgumentError(
      'Expected the DNS name of an identity, in lower case and without a dot at its end.',
    );
  }
  return text;
}

function parseTimeout(text: string): number {
  const ms = parseLifetime(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('Expected a duration such as 5s.');
  return ms;
}
