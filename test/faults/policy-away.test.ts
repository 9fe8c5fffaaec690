import { parseSocketAddress } from '../../src/runtime/socket-address.ts';
import { TestMesh } from '../proxy/support/test-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Relay } from './support/relay.ts';

const ports = [8001, 8002, 8003, 8004, 8005];
const shop = `
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: api
    proxy: { inboundPort: 4143 }
    ports: { ${ports.map((port) => `${port}: { policy: all-unauthenticated }`).join(', ')} }
`;
const away = 'the policy service is away; what it told stays in use';

describe('while the policy service is away', () => {
  it('the proxy is ready, says why it is not well, and not once for each port and each attempt', async () => {
    await using mesh = await new TestMesh().start();
    mesh.know(shop);
    const { LINKERD2_PROXY_POLICY_SVC_ADDR: service = '' } = mesh.environment('api');
    await using relay = new Relay(parseSocketAddress(service)!);
    await relay.open();
    const { log, readiness } = await mesh.proxy('api', {
      LINKERD2_PROXY_POLICY_SVC_ADDR: `127.0.0.1:${relay.address.port}`,
      LINKERD2_PROXY_INBOUND_PORTS: ports.join(','),
    });
    await eventually(() => expect(log.withMessage('policy received')).toHaveLength(ports.length));
    expect(readiness.report()).toBe('ready\n');

    await relay.close();
    await eventually(() => expect(readiness.report()).toMatch(/^ready\ndegraded: policy: .*ECONNREFUSED/));
    // Once for the connection that was lost, once for the one that cannot be made.
    expect(log.withMessage(away).length).toBeLessThanOrEqual(2);
    expect(log.withMessage('the policy service answers again')).toEqual([]);

    await relay.open();
    await eventually(() => expect(readiness.report()).toBe('ready\n'));
    expect(log.withMessage(away).length).toBeLessThanOrEqual(2);
    expect(log.withMessage('the policy service answers again')).toHaveLength(1);
  });
});
