import { globSync, readFileSync } from 'node:fs';
import { eventually } from '../../support/eventually.ts';
import { CommandLine } from '../command-line.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import type { TestCluster } from '../test-cluster.ts';
import { kedgeImageArchive } from './kedge-image.ts';

const minute = 60_000;

onKubernetes(
  'a node of the tests',
  (cluster) => {
    beforeAll(() => startPods(cluster), 5 * minute);

    it('runs pods that reach each other through a Service by its name', async () => {
      const script =
        "fetch('http://server.default.svc.cluster.local').then((a) => a.text()).then(console.log)";
      const said = await eventually(() => inClient(cluster, ['node', '--eval', script]));

      expect(said.trim()).toBe('answered by server');
    });

    it('gives a pod a token that is bound to it and good for the audience that was asked for', async () => {
      const token = await inClient(cluster, ['cat', '/token/token']);

      expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
        aud: ['identity.l5d.io'],
        sub: 'system:serviceaccount:default:default',
        'kubernetes.io': { pod: { name: 'client' }, node: { name: 'node1' } },
      });
    });

    it('runs the image as a user that is nobody and has a number', async () => {
      expect((await inClient(cluster, ['id', '-u'])).trim()).toBe('2102');
    });

    it(
      'stands beside another, which the command line starts and which leaves nothing on the machine when it is ended with its pods running',
      async () => {
        const before = traces();
        await using other = new CommandLine();
        const { code, said } = await other.run('up', '--version', cluster.version);
        expect([code, said]).toEqual([0, '']);
        expect(await other.run('load-image', await kedgeImageArchive())).toEqual({
          code: 0,
          printed: 'known to the node\n',
          said: '',
        });
        const image = ['--image=kedge:local', '--image-pull-policy=Never'];
        const pod = ['run', 'alone', ...image, '--command', '--', 'sleep', '100000'];
        expect((await other.run('kubectl', ...pod)).printed).toBe('pod/alone created\n');
        const wait = ['wait', '--for=condition=Ready', 'pod/alone', '--timeout=60s'];
        expect((await other.run('kubectl', ...wait)).printed).toBe('pod/alone condition met\n');
        expect(traces()).not.toEqual(before);
        expect((await other.run('status')).printed).toMatch(/^ +kubelet +runs$/m);
        expect(await other.run('down')).toMatchObject({ code: 0, said: '' });

        expect(traces()).toEqual(before);
        expect((await inClient(cluster, ['echo', 'still here'])).trim()).toBe('still here');
      },
      5 * minute,
    );
  },
  { node: true },
);

/** Puts a server and a client of it on the node and waits until both run. */
async function startPods(cluster: TestCluster): Promise<void> {
  await cluster.loadImage('kedge');
  await cluster.kubectl(['apply', '--filename=-'], { input: JSON.stringify(objects) });
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/server', 'pod/client', '--timeout=60s']);
}

function inClient(cluster: TestCluster, command: readonly string[]): Promise<string> {
  return cluster.kubectl(['exec', 'client', '--', ...command]);
}

/** What nodes have put on this machine outside of their own directories, and their mounts. */
function traces(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return [
    ...mounts.filter((line) => /kedge-(kubernetes|test)-/.test(line)),
    ...globSync([
      '/sys/class/net/kedge*',
      '/sys/fs/cgroup/*/k8s.io/*',
      '/run/containerd/{s,runc/k8s.io}/*',
      '/var/lib/cni/results/*',
      '/var/log/containers/*',
    ]),
  ].toSorted();
}

const pod = (name: string, script: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    containers: [
      {
        name: 'application',
        image: 'kedge:local',
        imagePullPolicy: 'Never',
        command: ['node', '--eval', script],
        volumeMounts: [{ name: 'token', mountPath: '/token' }],
      },
    ],
    volumes: [
      {
        name: 'token',
        projected: {
          sources: [{ serviceAccountToken: { path: 'token', audience: 'identity.l5d.io' } }],
        },
      },
    ],
  },
});

const server = "require('http').createServer((_, answer) => answer.end('answered by server')).listen(8080)";

const objects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    pod('server', server),
    pod('client', 'setInterval(() => {}, 1e6)'),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server' },
      spec: { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ],
};
