import { eventually } from '../../../support/eventually.ts';
import type { TestCluster } from '../../test-cluster.ts';
import type { ServedDestination } from '../support/served-destination.ts';
import { Town } from '../support/town.ts';

const ours = (name: string) => `config.kedge.io/${name}`;
const theirs = (name: string) => `config.linkerd.io/${name}`;

/** What annotations and Servers say of ports, and that a change of them reaches who listens already. */
export function annotationTests(cluster: TestCluster, served: () => ServedDestination): void {
  /** A Service of one pod, followed in every way. */
  const followed = async (name: string, network: number) => {
    const town = await Town.create(cluster, name, network);
    const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
    const [ip = ''] = await town.service('web', { ports });
    const container = { name: 'app', image: 'app', ports: [{ name: 'web', containerPort: 8080 }] };
    const proxy = { name: 'linkerd-proxy', image: 'proxy' };
    await town.pod('web-0', 1, { spec: { containers: [container, proxy] } });
    const key = `${town.ip(1)}:8080`;
    // Who asks for an address that is nobody's yet is told to follow its profile, for good.
    await served().known(`${ip}:80`);
    await served().known(key);
    const set = served().endpoints(`web.${town.name}:80`);
    const pod = served().profile(key);
    const service = served().profile(`${ip}:80`);
    const outbound = served().outbound(`${ip}:80`);
    await eventually(() => expect(set.keys).toEqual([key]));
    const endpoints = () => [set.at(key), pod.last?.endpoint];
    /** Whether the pod's port, and whether the Service's, is told to be opaque. */
    const expectOpaque = (ofPod: boolean, ofService: boolean) =>
      eventually(() => {
        const hints = endpoints().map((endpoint) => endpoint?.protocolHint?.protocol?.$case === 'opaque');
        expect([...hints, pod.last?.opaqueProtocol]).toEqual([ofPod, ofPod, ofPod]);
        const said = [service.last?.opaqueProtocol, outbound.last?.protocol?.kind?.$case === 'opaque'];
        expect(said).toEqual([ofService, ofService]);
      });
    /** Whether the pod has its identity at the port. */
    const expectMeshed = (meshed: boolean) =>
      eventually(() => {
        const names = endpoints().map((endpoint) => endpoint?.tlsIdentity?.serverName?.name);
        const name = meshed ? town.identity('default') : undefined;
        expect(names).toEqual([name, name]);
      });
    return { town, expectOpaque, expectMeshed };
  };

  const web = ['Pod', 'web-0'] as const;
  const service = ['Service', 'web'] as const;

  it('takes a port as opaque by the word of the pod, or else of its namespace, and for the Service by its own', async () => {
    const { town, expectOpaque } = await followed('opaque', 41);
    await expectOpaque(false, false);
    await town.annotate({ [theirs('opaque-ports')]: '8000-9000' });
    await expectOpaque(true, true);
    await town.annotate({ [theirs('opaque-ports')]: '' }, service);
    await expectOpaque(true, false);
    await town.annotate({ [theirs('opaque-ports')]: 'http' }, service);
    await expectOpaque(true, true);
    await town.annotate({ [theirs('opaque-ports')]: '1' }, web);
    await expectOpaque(false, true);
    await town.annotate({ [theirs('opaque-ports')]: null }, service);
    await expectOpaque(false, false);
    await town.annotate({ [ours('opaque-ports')]: 'web' }, web);
    await expectOpaque(true, true);
    await town.annotate({ [ours('opaque-ports')]: null, [theirs('opaque-ports')]: null }, web);
    await town.annotate({ [theirs('opaque-ports')]: null });
    await expectOpaque(false, false);
  });

  it('tells no identity at a port that bypasses the proxy, by the word of the pod or else of its namespace', async () => {
    const { town, expectMeshed, expectOpaque } = await followed('skipped', 42);
    await expectMeshed(true);
    await town.annotate({ [theirs('skip-inbound-ports')]: '1-9000' });
    await expectMeshed(false);
    await town.annotate({ [theirs('skip-inbound-ports')]: '1' }, web);
    await expectMeshed(true);
    await town.annotate({ [ours('skip-inbound-ports')]: 'web' }, web);
    await expectMeshed(false);
    await town.annotate({ [ours('skip-inbound-ports')]: '' }, web);
    await expectMeshed(true);
    // It is the pod that bypasses its proxy: a Service says nothing of that.
    await town.annotate({ [ours('skip-inbound-ports')]: '80,8080', [ours('opaque-ports')]: '80' }, service);
    await expectOpaque(false, true);
    await expectMeshed(true);
  });

  it('takes a port as its Server says, before what is annotated', async () => {
    const { town, expectOpaque } = await followed('served', 43);
    const podSelector = { matchLabels: { app: 'web' } };
    const server = (proxyProtocol: string) => ({
      apiVersion: 'policy.linkerd.io/v1beta3',
      kind: 'Server',
      metadata: { name: 'web' },
      spec: { podSelector, port: 'web', proxyProtocol },
    });
    await town.create('Server', server('opaque'));
    await expectOpaque(true, true);
    await town.annotate({ [ours('opaque-ports')]: '8080' }, web);
    await town.patch('Server', 'web', { spec: { proxyProtocol: 'unknown' } });
    await expectOpaque(false, false);
    await town.delete('Server', 'web');
    await expectOpaque(true, true);
  });
}
