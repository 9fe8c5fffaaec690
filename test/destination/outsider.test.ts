import { eventually } from '../support/eventually.ts';
import { field, fields, varint } from '../support/protobuf-bytes.ts';
import { connectRaw } from '../support/raw-grpc.ts';
import { serverIdentity } from '../support/rpc-server.ts';
import { ca, startStand } from './support/stand.ts';

const destination = '/io.linkerd.proxy.destination.Destination';
const inbound = '/io.linkerd.proxy.inbound.InboundServerPolicies';
const outbound = '/io.linkerd.proxy.outbound.OutboundPolicies';

const file = (port: number, policy = 'deny') => `
defaultPolicy: ${policy}
workloads: {shop/api-0: {addresses: [10.1.0.5], proxy: {}}}
services: {shop/api: {clusterIPs: [10.96.0.5], ports: {80: {endpoints: [{workload: shop/api-0, port: ${port}}]}}}}
`;

const context = field(3, '{"ns":"shop","nodeName":"n1","pod":"web-0"}\n');
const workload = '{"ns":"shop","pod":"api-0"}\n';
const byName = field(2, 'api.shop.svc.cluster.local:80');
const byAddress = field(2, '10.96.0.5:80');
/** 10.96.0.5:80 */
const dialled = field(2, Buffer.concat([field(1, Buffer.from('0d0500600a', 'hex')), number(2, 80)]));
const source = field(1, '{"ns":"shop","pod":"web-0"}');
const authority = field(3, 'api.shop.svc.cluster.local:80');
const port = Buffer.concat([field(1, workload), number(2, 8080)]);

/** A varint as a field of a message. */
function number(of: number, value: number): Buffer {
  return Buffer.concat([varint(of << 3), varint(value)]);
}

/** A client that knows nothing but TLS, HTTP/2 and the numbers of the contract; it shows no certificate and offers no ALPN. */
async function stand() {
  const own = await startStand({ file: file(8080) });
  const client = await connectRaw(own.address, { ca: ca.bundle.pem, servername: serverIdentity.dnsName });
  return {
    own,
    client,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

describe('a proxy that knows only the contract', () => {
  it.each([
    ['endpoints', `${destination}/Get`, Buffer.concat([byName, context]), [1], file(8081)],
    ['the profile of a name', `${destination}/GetProfile`, Buffer.concat([byName, context]), [2, 5, 7], ''],
    ['the profile of an address', `${destination}/GetProfile`, byAddress, [2, 5, 7], ''],
    ['what to let in', `${inbound}/WatchPort`, port, [1, 4], file(8080, 'all-unauthenticated')],
    ['where to send what is dialled', `${outbound}/Watch`, Buffer.concat([source, dialled]), [1, 2], ''],
    ['where to send what is for a name', `${outbound}/Watch`, Buffer.concat([source, authority]), [1, 2], ''],
  ])('is told %s, and what becomes of it on the same stream', async (_, path, request, numbers, later) => {
    await using at = await stand();
    const stream = at.client.open(path, request);
    await eventually(() => expect(stream.messages).toHaveLength(1));
    const told = fields(stream.messages[0]!).map((each) => each.number);
    expect([...new Set(told)].sort()).toEqual(numbers);
    // Without a port 80 the Service is there no more: that changes everything but what is let in.
    at.own.use(later === '' ? file(8080).replace(' {80:', ' {79:') : later);
    await eventually(() => expect(stream.messages.length).toBeGreaterThan(1));
    expect(stream.status).toBeUndefined();
  });

  it.each([
    ['what to let in', `${inbound}/GetPort`, port],
    ['where to send what is dialled', `${outbound}/Get`, Buffer.concat([source, dialled])],
  ])('is told %s once, when it asks once', async (_, path, request) => {
    await using at = await stand();
    const { status, messages } = await at.client.call(path, request);
    expect([status, messages.length]).toEqual([0, 1]);
  });

  it.each([
    ['INVALID_ARGUMENT', 3, `${destination}/Get`, field(2, '10.0.0.1:80')],
    ['INVALID_ARGUMENT', 3, `${destination}/GetProfile`, field(2, 'example.com:443')],
    ['INVALID_ARGUMENT', 3, `${inbound}/WatchPort`, field(1, workload)],
    ['NOT_FOUND', 5, `${inbound}/GetPort`, Buffer.concat([field(1, 'shop:nobody'), number(2, 80)])],
    ['INVALID_ARGUMENT', 3, `${outbound}/Watch`, dialled],
    ['NOT_FOUND', 5, `${outbound}/Watch`, Buffer.concat([source, field(3, 'example.com:443')])],
    ['UNIMPLEMENTED', 12, `${destination}/GetEverything`, byName],
  ])('is answered %s (%d) by %s where it asks for what there is not', async (_, code, path, request) => {
    await using at = await stand();
    expect((await at.client.call(path, request)).status).toBe(code);
  });
});
