import { parseArgs } from 'node:util';
import { usualVersion, versionNamed, versions } from './binaries/versions.ts';
import type { ClusterWish } from './start-cluster.ts';

export const usage = `Usage: npm run cluster -- <command>

A Kubernetes of your own, built from its sources: a control plane and a node (Linux, root), or the API server alone.

  build [--api-only] [--version V]   builds the programs, and cert-manager for tests: once, for minutes
  up [--api-only] [--version V]      builds what is missing and starts a cluster, which runs on
  fetch-openbao                      fetches OpenBao for the tests of Vault: once, some seconds
  status                             what of it runs
  kubectl <arguments>                kubectl as its admin
  helm <arguments>                   helm as its admin
  load-image kedge | <archive>       makes an image known to the node: Kedge's own, built anew, or that of an archive
  down                               ends it and removes everything of it

  --api-only     etcd, API server and controller manager on 127.0.0.1: an ordinary user may, nodes are missing
  --version V    ${versions.map(({ version, node }) => (node ? version : `${version} (only --api-only)`)).join(', ')}; ${usualVersion} unless told
  -h, --help     this text

Exit codes: 0 done; 1 failed, or nothing runs; 64 wrong usage; 69 this machine lacks something, a line says what.
`;

export type ClusterCommand =
  | ({ readonly verb: 'build' | 'up' } & ClusterWish)
  | { readonly verb: 'fetch-openbao' | 'status' | 'down' | 'help' }
  | { readonly verb: 'kubectl' | 'helm'; readonly args: readonly string[] }
  | { readonly verb: 'load-image'; readonly image: string };

/** Reads the command line; throws an Error that says what was expected. */
export function readArguments(args: readonly string[]): ClusterCommand {
  const [verb, ...rest] = args;
  if (verb === undefined) throw new Error('expected a command, got none');
  if (['-h', '--help', 'help'].includes(verb)) return { verb: 'help' };
  if (verb === 'kubectl' || verb === 'helm') return { verb, args: rest };
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: verb === 'load-image',
    options: {
      'api-only': { type: 'boolean', default: false },
      version: { type: 'string', default: usualVersion },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { verb: 'help' };
  if (verb === 'build' || verb === 'up') return { verb, ...wish(values.version, !values['api-only']) };
  if (verb === 'load-image') return { verb, image: onlyOne(positionals) };
  if (verb === 'fetch-openbao' || verb === 'status' || verb === 'down') return { verb };
  throw new Error(
    `expected build, fetch-openbao, up, status, kubectl, helm, load-image or down, got ${JSON.stringify(verb)}`,
  );
}

function wish(named: string, node: boolean): ClusterWish {
  const version = versionNamed(named);
  if (node && versions.find((one) => one.version === version)?.node !== true) {
    throw new Error(`expected a version whose kubelet runs here, or --api-only with it, got ${version}`);
  }
  return { version, node };
}

function onlyOne([image, ...more]: readonly string[]): string {
  if (image !== undefined && more.length === 0) return image;
  throw new Error('expected one image: kedge, or the file of an archive');
}
