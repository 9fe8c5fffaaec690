import { tellUnreadable } from '../../../../src/destination/kube/policy/tell-unreadable.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { object, pod, server, serverRef, shop } from './support/manifests.ts';
import { PolicyCluster } from './support/policy-cluster.ts';

const message = 'policy that cannot be read lets nobody in, ports that cannot be read are passed over';

function tell(cluster: PolicyCluster) {
  const log = new LogCapture();
  const metrics = new Metrics();
  tellUnreadable(cluster.collections, { log, clock: new ManualClock(), metrics });
  const count = async (kind: string) => {
    const line = (await metrics.text()).split('\n').find((each) => each.includes(`objects{kind="${kind}"}`));
    return Number(line?.split(' ').at(-1));
  };
  return {
    told: () => log.withMessage(message).map(({ fields }) => fields),
    count,
  };
}

describe('policy that cannot be read', () => {
  it('is told once for each thing that is wrong, and counted for as long as it is', async () => {
    const cluster = new PolicyCluster(shop, server({ accessPolicy: 'open' }));
    const { told, count } = tell(cluster);
    expect(told()).toMatchObject([{ code: 'Server', object: 'shop/web' }]);
    expect(told()[0]?.['problem']).toContain('got "open"');
    cluster.apply(server({ accessPolicy: 'open', proxyProtocol: 'opaque' }));
    expect(told()).toHaveLength(1);
    cluster.apply(server({ accessPolicy: 'wide' }));
    expect(told()).toHaveLength(2);
    expect(await count('Server')).toBe(1);
    cluster.apply(server());
    expect(await count('Server')).toBe(0);
    expect(told()).toHaveLength(2);
  });

  it.each([
    ['AuthorizationPolicy', object('AuthorizationPolicy', 'x', {})],
    ['ServerAuthorization', object('ServerAuthorization', 'x', {})],
    ['MeshTLSAuthentication', object('MeshTLSAuthentication', 'x', { identities: ['A'] })],
    ['NetworkAuthentication', object('NetworkAuthentication', 'x', { networks: [{ cidr: 'x' }] })],
    ['HTTPRoute', object('HTTPRoute', 'x', { parentRefs: [serverRef] })],
    ['HTTPRoute.gateway.networking.k8s.io', object('GatewayHTTPRoute', 'x', { parentRefs: [serverRef] })],
    ['GRPCRoute.gateway.networking.k8s.io', object('GatewayGRPCRoute', 'x', { parentRefs: [serverRef] })],
    ['Pod', pod({ metadata: { annotations: { 'config.kedge.io/default-inbound-policy': 'x' } } })],
    [
      'Namespace',
      {
        ...shop,
        metadata: {
          name: 'shop',
          annotations: { 'config.linkerd.io/proxy-require-identity-inbound-ports': 'x y' },
        },
      },
    ],
    [
      'Namespace',
      { ...shop, metadata: { name: 'shop', annotations: { 'config.kedge.io/probe-authorization': 'no' } } },
    ],
    ['Pod', pod({ metadata: { annotations: { 'config.kedge.io/opaque-ports': '0,99999,80-70' } } })],
    [
      'Namespace',
      { ...shop, metadata: { name: 'shop', annotations: { 'config.linkerd.io/opaque-ports': '0' } } },
    ],
    ['Pod', pod({ metadata: { annotations: { 'config.kedge.io/skip-inbound-ports': '-1,,9' } } })],
    ['Service', object('Service', 'web', {}, { annotations: { 'config.kedge.io/opaque-ports': '80-70' } })],
  ])('is told of each kind: %s', async (kind, manifest) => {
    const { told, count } = tell(new PolicyCluster(manifest));
    expect(told()).toMatchObject([{ code: kind }]);
    expect(await count(kind)).toBe(1);
  });

  it('is not told of what is well', () => {
    const service = object('HTTPRoute', 'x', {
      parentRefs: [{ group: 'core', kind: 'Service', name: 'web' }],
    });
    const annotations = {
      'config.kedge.io/opaque-ports': `80, 8000-8001,,http,${'a'.repeat(63)}`,
      'config.kedge.io/skip-inbound-ports': '',
    };
    const annotated = [pod({ metadata: { annotations } }), object('Service', 'web', {}, { annotations })];
    const { told } = tell(new PolicyCluster(shop, ...annotated, server(), service));
    expect(told()).toEqual([]);
  });

  it('does not fill the log, however much of it there is', () => {
    const cluster = new PolicyCluster(shop);
    for (let i = 0; i < 500; i++) cluster.apply(server({ accessPolicy: 'x' }, { name: `s${i}` }));
    expect(tell(cluster).told()).toHaveLength(10);
  });
});
