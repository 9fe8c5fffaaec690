import { homedir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../runtime/clock.ts';
import { parseSocketAddress, type SocketAddress } from '../runtime/socket-address.ts';
import type { Answer } from './answer.ts';
import { isWell, mergeStatus } from './issuer/merge-status.ts';
import { renderStatus } from './issuer/render-status.ts';
import type { Respond } from './respond.ts';
import { outputOption } from './respond.ts';

interface StatusOptions {
  address: SocketAddress[];
  kubeconfig: string;
  namespace: string;
  output: 'text' | 'json';
}

/** `kedge issuer status`: what happens, and when, if the CA stays away from now on. */
export function addIssuerCommand(program: Command, respond: Respond): void {
  const issuer = program
    .command('issuer')
    .summary('what signs certificates')
    .description('What signs certificates.');
  issuer
    .command('status')
    .summary('show until when the mesh holds without its CA')
    .description(
      'Asks every replica of the identity service whether its CA answers, and shows which workloads are without a certificate when, if the CA stays away from now on.',
    )
    .option(
      '--address <host:port>',
      'the admin port of a replica, instead of those in the cluster; may be given several times',
      (text: string, before: SocketAddress[]) => [...before, parseAddress(text)],
      [],
    )
    .option('--kubeconfig <file>', 'how to reach the API server', path.join(homedir(), '.kube', 'config'))
    .option('--namespace <name>', 'namespace of the control plane', 'kedge')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((options: StatusOptions) => respond(options.output, () => statusAnswer(options)));
}

const HELP = `
Only what a replica gave since it started is counted; after one lifetime of certificates (24h) that is all. In the cluster,
the caller needs the rights to list pods and to get pods/proxy in the namespace.

Exit codes: 0 every replica answers, and its CA, too; 1 one does not; 64 wrong usage.

Examples:
  kedge issuer status
  kedge issuer status --address 127.0.0.1:9990 -o json`;

async function statusAnswer({ address, kubeconfig, namespace }: StatusOptions): Promise<Answer> {
  // Loaded when it is needed: a client for the API server is large.
  const { readFromAddresses, readFromCluster } = await import('./issuer/read-status.ts');
  const clock = systemClock;
  const status = mergeStatus(
    address.length > 0
      ? await readFromAddresses(address)
      : await readFromCluster({ kubeconfig, namespace, clock }),
  );
  return { ok: isWell(status), json: status, text: (paint) => renderStatus(status, clock.now(), paint) };
}

function parseAddress(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address === undefined) throw new InvalidArgumentError('Expected host:port, such as 127.0.0.1:9990.');
  return address;
}
