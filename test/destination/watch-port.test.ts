import type { Server } from '../../src/rpc/inbound-policy-api.ts';
import { eventually } from '../support/eventually.ts';
import { refusalOf } from '../support/refusal.ts';
import { Reader } from './support/reader.ts';
import { shopFile } from './support/shop-file.ts';
import { startStand } from './support/stand.ts';
import type { Stand } from './support/stand.ts';

const apiPod = '{"ns":"shop","pod":"api-0"}';

function open(stand: Stand, workload = apiPod, port = 80): Reader<Server> {
  return new Reader((signal) => stand.inboundPolicy.watchPort({ workload, port }, signal));
}

const withPolicy = (policy: string) => `workloads: {shop/api-0: {addresses: [10.1.0.5], policy: ${policy}}}`;

describe('WatchPort', () => {
  it('answers with the present policy and pushes each change of it', async () => {
    await using stand = await startStand({ file: withPolicy('all-unauthenticated') });
    await using stream = open(stand);
    expect((await stream.next()).labels['name']).toBe('all-unauthenticated');
    stand.use(`${withPolicy('all-unauthenticated')}\nservices: {}`);
    stand.use(withPolicy('all-authenticated'));
    expect((await stream.next()).labels['name']).toBe('all-authenticated');
    stand.use(withPolicy('deny'));
    expect(await stream.next()).toMatchObject({ labels: { name: 'deny' }, authorizations: [] });
  });

  it('waits for a workload that is not known yet, and says so in the log', async () => {
    await using stand = await startStand({ file: 'workloads: {}' });
    await using stream = open(stand);
    const first = stream.next();
    await eventually(() =>
      expect(stand.log.withMessage('policy watched for an unknown workload')).toMatchObject([
        { level: 'info', fields: { workload: 'shop/api-0' } },
      ]),
    );
    stand.use(withPolicy('deny'));
    expect((await first).labels['name']).toBe('deny');
  });

  it('leaves a workload that disappears with the policy it has', async () => {
    await using stand = await startStand({ file: withPolicy('deny') });
    await using stream = open(stand);
    await stream.next();
    stand.use('workloads: {}');
    stand.use(withPolicy('audit'));
    expect((await stream.next()).labels['name']).toBe('audit');
  });

  it('shares one subscription among streams for one port, whatever way the workload is written', async () => {
    await using stand = await startStand({ file: shopFile });
    await using first = open(stand, apiPod);
    await using second = open(stand, 'shop:api-0');
    expect(await first.next()).toEqual(await second.next());
    expect(await stand.metric('kedge_destination_subscriptions{api="watch_port"}')).toBe(1);
    expect(await stand.metric('kedge_destination_updates_total{api="watch_port"}')).toBe(2);
  });

  it.each([
    ['a workload that is none', 'api-0', 80, 'expected {"ns": "...", "pod": "..."}, '],
    ['port 0', apiPod, 0, 'expected a port from 1 to 65535, got 0'],
    ['port 65536', apiPod, 65536, 'expected a port from 1 to 65535, got 65536'],
  ])('refuses %s for good', async (_, workload, port, message) => {
    await using stand = await startStand({ file: shopFile });
    await using stream = open(stand, workload, port);
    expect(await refusalOf(stream.next())).toContain(`rpc_invalid_argument: ${message}`);
  });
});

describe('GetPort', () => {
  it('answers once with the policy', async () => {
    await using stand = await startStand({ file: shopFile });
    const server = await stand.inboundPolicy.getPort({ workload: 'shop:api-0', port: 7000 });
    expect(server.authorizations.map(({ labels }) => labels['name'])).toEqual(['web-and-batch', 'health']);
  });

  it('says of an unknown workload that it is not found', async () => {
    await using stand = await startStand({ file: shopFile });
    expect(await refusalOf(stand.inboundPolicy.getPort({ workload: 'shop:api-9', port: 80 }))).toBe(
      'rpc_not_found: expected a workload that is known, got shop/api-9',
    );
  });

  it('waits until the first file has been loaded', async () => {
    await using stand = await startStand({ file: undefined });
    const answer = stand.inboundPolicy.getPort({ workload: 'shop:api-0', port: 80 });
    stand.use(withPolicy('deny'));
    expect((await answer).labels['name']).toBe('deny');
  });
});
