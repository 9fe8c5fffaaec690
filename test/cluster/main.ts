// npm run cluster: see `usage` in arguments.ts.
import { paint, table } from '../../src/cli/table.ts';
import { errorMessage } from '../../src/runtime/errors.ts';
import { readArguments, usage } from './arguments.ts';
import type { ClusterCommand } from './arguments.ts';
import { buildGo } from './binaries/go-build.ts';
import { fetchOpenBao } from './binaries/openbao.ts';
import { Progress } from './binaries/progress.ts';
import { certManagerBuild } from './cert-manager/cert-manager-build.ts';
import { Missing, missingExitCode } from './missing.ts';
import { loadImage } from './node/load-image.ts';
import { lacking } from './requirements.ts';
import { StandingCluster } from './standing-cluster.ts';
import { buildPrograms } from './start-cluster.ts';
import type { ClusterWish } from './start-cluster.ts';

const exitCodes = { ok: 0, failed: 1, usage: 64 } as const;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`cluster: ${line}\n`);
const cluster = new StandingCluster();

// A reader that has seen enough (`| head`) is no reason to leave a cluster half started or half removed.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function run(command: ClusterCommand): Promise<number> {
  switch (command.verb) {
    case 'help':
      say(usage.trimEnd());
      return exitCodes.ok;
    case 'build':
      return build(command);
    case 'fetch-openbao':
      await fetchOpenBao(new Progress(process.stderr));
      return exitCodes.ok;
    case 'up':
      return up(command);
    case 'status':
      return status();
    case 'down':
      await cluster.stop();
      say('nothing of it is left');
      return exitCodes.ok;
    case 'kubectl':
    case 'helm':
      return cluster.stands ? cluster.run(command.verb, command.args) : noCluster();
    case 'load-image':
      return load(command.image);
  }
}

/**
 * Builds what a cluster needs, and what tests put beside one. Says also what a cluster of these programs would lack, so that a
 * script knows whether to go on.
 */
async function build(wish: ClusterWish): Promise<number> {
  const lines = lacking(wish);
  const progress = new Progress(process.stderr);
  await buildPrograms(wish, progress);
  await buildGo(certManagerBuild, progress);
  lines.forEach(complain);
  return lines.length > 0 ? missingExitCode : exitCodes.ok;
}

async function up(wish: ClusterWish): Promise<number> {
  if (cluster.stands) return alreadyUp(wish);
  const lines = lacking(wish);
  lines.forEach(complain);
  if (lines.length > 0) return missingExitCode;
  await buildPrograms(wish, new Progress(process.stderr));
  const leave = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave.abort());
  await cluster.start(wish, leave.signal, (line) => say(paint(process.stdout).dim(line)));
  say(howToUse(wish));
  return exitCodes.ok;
}

async function load(image: string): Promise<number> {
  if (!cluster.stands) return noCluster();
  if (cluster.wish?.node !== true) {
    complain(
      'the cluster that is up has no node to take an image: npm run cluster -- down, then up without --api-only',
    );
    return exitCodes.failed;
  }
  const tell = (line: string): void => say(paint(process.stdout).dim(line));
  if (image === 'kedge') tell('building the image of Kedge: a minute, some more the first time');
  await loadImage(cluster.state, image);
  tell(
    image === 'kedge'
      ? 'kedge:local is known to the node: helm install ... --set image.tag=local'
      : 'known to the node',
  );
  return exitCodes.ok;
}

function alreadyUp(wish: ClusterWish): number {
  const same = cluster.wish?.version === wish.version && cluster.wish.node === wish.node;
  if (!same) complain(`another cluster is up, ${named(cluster.wish ?? wish)}: npm run cluster -- down`);
  else say(howToUse(wish));
  return same ? exitCodes.ok : exitCodes.failed;
}

const named = ({ version, node }: ClusterWish): string =>
  `Kubernetes ${version}${node ? '' : ', without nodes'}`;

function howToUse({ version, node }: ClusterWish): string {
  const image = node ? '  npm run cluster -- load-image kedge\n' : '';
  return `Kubernetes ${version} is up${node ? '' : ', without nodes'}. How to use it:

  npm run cluster -- kubectl get all --all-namespaces
${image}  npm run cluster -- down

or, with a kubectl of your own:

  export KUBECONFIG=${cluster.kubeconfig}`;
}

function status(): number {
  if (cluster.components.length === 0) return noCluster();
  const colours = paint(process.stdout);
  const { wish } = cluster;
  say(wish ? named(wish) : 'not whole: its start goes on, or has failed');
  const rows = cluster.components.map(([name, running]) => [
    name,
    running ? colours.good('runs') : `${colours.bad('has ended')}, its log: ${cluster.state.logFile(name)}`,
  ]);
  process.stdout.write(table(rows, { indent: 2 }));
  return cluster.stands ? exitCodes.ok : exitCodes.failed;
}

function noCluster(): number {
  const nothing = cluster.components.length === 0;
  complain(
    nothing
      ? 'no such cluster is up: npm run cluster -- up'
      : 'not all of the cluster runs: npm run cluster -- status',
  );
  return exitCodes.failed;
}

function given(): ClusterCommand | undefined {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    complain(`${errorMessage(error)}\n(add --help for what there is)`);
    return undefined;
  }
}

async function main(): Promise<number> {
  const command = given();
  if (command === undefined) return exitCodes.usage;
  try {
    return await run(command);
  } catch (error) {
    complain(errorMessage(error));
    return error instanceof Missing ? missingExitCode : exitCodes.failed;
  }
}

process.exitCode = await main();
