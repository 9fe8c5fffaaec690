import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { chosenVersion } from './binaries/versions.ts';
import { CommandLine } from './command-line.ts';
import { chart, missingHelm } from './helm.ts';
import { isRunning } from './process-record.ts';
import { whatIsMissing } from './what-is-missing.ts';

const main = path.join(import.meta.dirname, 'main.ts');

/** `npm run cluster` on a machine that has nothing but what lies in the directory. */
function cluster(cache: TemporaryDirectory, ...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], {
    env: { PATH: cache.path, XDG_CACHE_HOME: cache.path },
    encoding: 'utf8',
  });
}

describe('npm run cluster', () => {
  it('says what the machine lacks and how to get it, with an exit code of its own', () => {
    using cache = new TemporaryDirectory();
    const { status, stderr } = cluster(cache, 'up', '--api-only');
    expect(stderr).toContain('cluster: needs etcd: apt-get install -y etcd-server\n');
    expect(status).toBe(69);
  });

  it('says that nothing is up to whoever wants to use it', () => {
    using cache = new TemporaryDirectory();
    for (const args of [['kubectl', 'get', 'pods'], ['load-image', 'kedge'], ['status']]) {
      const { status, stderr } = cluster(cache, ...args);
      expect([status, stderr]).toEqual([1, 'cluster: no such cluster is up: npm run cluster -- up\n']);
    }
  });

  it('removes with down what a crash has left', () => {
    using cache = new TemporaryDirectory();
    mkdirSync(cache.file('kedge', 'cluster', 'processes'), { recursive: true });
    writeFileSync(cache.file('kedge', 'cluster', 'processes', 'etcd'), '{"pid":4194304,"started":"1"}');
    expect(cluster(cache, 'status').stdout).toMatch(/not whole.*\n +etcd +has ended, its log: .*etcd\.log/);
    expect(cluster(cache, 'kubectl', 'get', 'pods').stderr).toBe(
      'cluster: not all of the cluster runs: npm run cluster -- status\n',
    );
    expect(cluster(cache, 'down').status).toBe(0);
    expect(cluster(cache, 'status').stderr).toContain('no such cluster is up');
  });

  it('ends in peace when its reader has seen enough', async () => {
    const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [complaint, exit] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([exit[0], complaint]).toEqual([0, '']);
  });

  it('says of a cluster without a node that it takes no image, and of another one which it is', () => {
    using cache = new TemporaryDirectory();
    mkdirSync(cache.file('kedge', 'cluster'), { recursive: true });
    writeFileSync(cache.file('kedge', 'cluster', 'cluster.json'), '{"version":"1.33.13","node":false}');
    expect(cluster(cache, 'load-image', 'kedge').stderr).toBe(
      'cluster: the cluster that is up has no node to take an image: npm run cluster -- down, then up without --api-only\n',
    );
    const { status, stderr } = cluster(cache, 'up');
    expect([status, stderr]).toEqual([
      1,
      'cluster: another cluster is up, Kubernetes 1.33.13, without nodes: npm run cluster -- down\n',
    ]);
  });
});

const missing = whatIsMissing() ?? missingHelm();

const whole = 'npm run cluster where its programs are';
const suite = missing === undefined ? describe : describe.skip;

suite(missing === undefined ? whole : `${whole} (skipped: ${missing})`, () => {
  it('starts an API server that stays, lets its users at it, and leaves nothing of it', async () => {
    await using cluster = new CommandLine();
    const wish = ['--api-only', '--version', chosenVersion()];
    const title = `Kubernetes ${chosenVersion()}`;
    const up = await cluster.run('up', ...wish);
    expect(up).toMatchObject({ code: 0, said: '' });
    expect(up.printed).toContain(`${title} is up, without nodes. How to use it:`);
    expect(up.printed).toContain(`export KUBECONFIG=${cluster.state.file('kubeconfig')}\n`);
    const again = await cluster.run('up', ...wish);
    expect(again.code).toBe(0);
    expect(up.printed.endsWith(again.printed)).toBe(true);

    const parts = ['etcd', 'kube-apiserver', 'kube-controller-manager'];
    const rows = parts.map((part) => new RegExp(`^ +${part} +runs$`, 'm'));
    const status = await cluster.run('status');
    expect(status).toMatchObject({ code: 0, said: '' });
    for (const row of [new RegExp(`^${title}, without nodes$`, 'm'), ...rows]) {
      expect(status.printed).toMatch(row);
    }

    const install = ['install', 'kedge', chart, '--namespace=kedge', '--create-namespace'];
    expect((await cluster.run('helm', ...install)).printed).toContain('STATUS: deployed');
    const get = ['get', 'deployments', '--namespace=kedge', '--output=name'];
    expect(await cluster.run('kubectl', ...get)).toEqual({
      code: 0,
      printed: 'deployment.apps/kedge-destination\ndeployment.apps/kedge-identity\n',
      said: '',
    });
    const refused = await cluster.run('kubectl', 'get', 'namespace', 'none');
    expect(refused).toMatchObject({
      code: 1,
      printed: '',
      said: expect.stringContaining('NotFound') as string,
    });

    const processes = parts.map((part) => cluster.state.processOf(part)!);
    expect(await cluster.run('down')).toEqual({ code: 0, printed: 'nothing of it is left\n', said: '' });
    expect(processes.filter(isRunning)).toEqual([]);
    expect(existsSync(cluster.state.path)).toBe(false);
    expect((await cluster.run('status')).code).toBe(1);
  }, 300_000);
});
