import { AccessKeeper } from '../../../src/kube/access.ts';
import { createIfAbsent } from '../../../src/kube/create-if-absent.ts';
import { EventRecorder } from '../../../src/kube/event-recorder.ts';
import { inClusterCredentials } from '../../../src/kube/in-cluster-credentials.ts';
import { HttpKubeClient } from '../../../src/kube/http-kube-client.ts';
import { KubeHttp } from '../../../src/kube/kube-http.ts';
import { kubeMetrics } from '../../../src/kube/kube-metrics.ts';
import type { KubeObject } from '../../../src/kube/kube-object.ts';
import { configMaps, pods, serviceAccounts } from '../../../src/kube/resources.ts';
import { updateWithRetry } from '../../../src/kube/update-with-retry.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { onKubernetes } from '../on-kubernetes.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const { signal } = new AbortController();

onKubernetes('writing to a real API server', (cluster) => {
  it('has one creator of an object for which many race, whose object all of them get', async () => {
    const client = await cluster.client();
    const place = { namespace: 'default', name: 'raced' };
    const ends = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        createIfAbsent<ConfigMap>(client, configMaps, place, { data: { value: String(n) } }, signal),
      ),
    );
    expect(ends.filter(({ created }) => created)).toHaveLength(1);
    expect(
      new Set(ends.map(({ object }) => `${object.metadata.uid ?? ''} ${object.data?.['value'] ?? ''}`)).size,
    ).toBe(1);
  });

  it('refuses to apply what another manager owns, unless it is forced', async () => {
    const ours = await cluster.client({ name: 'kedge-identity' });
    const others = await cluster.client({ name: 'somebody-else' });
    const place = { namespace: 'default', name: 'owned' };
    const whole = (value: string): object => ({ metadata: { name: 'owned' }, data: { value } });
    await ours.apply(configMaps, place, whole('ours'), { force: false }, signal);
    const said = await refusalOf(others.apply(configMaps, place, whole('theirs'), { force: false }, signal));
    expect(said).toMatch(/^kube_conflict: patch configmaps: .*kedge-identity.*\.data\.value/);
    const taken = await others.apply<ConfigMap>(configMaps, place, whole('theirs'), { force: true }, signal);
    expect(taken.data).toEqual({ value: 'theirs' });
  });

  it('loses no change of those who update at once', async () => {
    const client = await cluster.client();
    const place = { namespace: 'default', name: 'counted' };
    await createIfAbsent(client, configMaps, place, { data: { value: '0' } }, signal);
    const count = (object: ConfigMap): ConfigMap => ({
      ...object,
      data: { value: String(Number(object.data?.['value']) + 1) },
    });
    const update = { client, clock: systemClock, signal };
    await Promise.all([1, 2, 3].map(() => updateWithRetry(update, configMaps, place, count)));
    expect((await client.read<ConfigMap>(configMaps, place, signal)).data).toEqual({ value: '3' });
  });

  it('writes Events that kubectl describe shows, and how often they happened', async () => {
    const client = await cluster.client();
    const spec = { nodeName: 'none', containers: [{ name: 'web', image: 'web' }] };
    const pod = await client.create(
      pods,
      { namespace: 'default' },
      { metadata: { name: 'web' }, spec },
      signal,
    );
    const clock = new ManualClock(new Date());
    const who = { controller: 'kedge-identity', instance: 'kedge-identity-0' };
    const recorder = new EventRecorder({
      client,
      ...who,
      clock,
      log: new LogCapture(),
      metrics: new Metrics(),
    });
    const stop = new AbortController();
    const running = recorder.run(stop.signal);
    const { uid = '' } = pod.metadata;
    const happening = {
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web', uid },
      type: 'Normal',
      reason: 'CertificateIssued',
      action: 'Certify',
      note: 'issued a certificate until tomorrow',
    } as const;
    recorder.record(happening);
    const described = (): Promise<string> => cluster.kubectl(['describe', 'pod', 'web']);
    await eventually(async () =>
      expect(await described()).toMatch(/Normal +CertificateIssued .* issued a certificate/),
    );
    for (let n = 0; n < 4; n++) recorder.record(happening);
    await clock.advance(31_000);
    await eventually(async () =>
      expect(await described()).toMatch(/CertificateIssued .*\(x5 over .*kedge-identity/),
    );
    stop.abort();
    await running;
  });

  it('takes a token that was replaced in its file as soon as the one before is refused', async () => {
    const namespace = await cluster.createNamespace('rotated');
    const { hostname, port } = new URL(cluster.server);
    using directory = new TemporaryDirectory();
    directory.mount({ token: 'a token of long ago', 'ca.crt': cluster.ca });
    const access = new AccessKeeper(
      inClusterCredentials(hostname, Number(port), directory.path),
      systemClock,
    );
    const metrics = kubeMetrics(new Metrics());
    const http = new KubeHttp({ access, userAgent: 'kedge-test', clock: systemClock, metrics });
    const client = new HttpKubeClient(http, 'kedge-test');
    const read = (): Promise<KubeObject> =>
      client.read(serviceAccounts, { namespace, name: 'default' }, signal);
    expect(await refusalOf(read())).toMatch(/^kube_unauthenticated: get serviceaccounts: .* 401/);
    await cluster.kubectl([
      'create',
      'rolebinding',
      'v',
      '--clusterrole=view',
      `--serviceaccount=${namespace}:default`,
      '-n',
      namespace,
    ]);
    directory.mount({ token: await cluster.token({ namespace, name: 'default' }), 'ca.crt': cluster.ca });
    await eventually(async () => expect((await read()).metadata.name).toBe('default'));
    access.close();
  });
});
