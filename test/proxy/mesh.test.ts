import { eventually } from '../support/eventually.ts';
import { testDomain } from '../support/rpc-server.ts';
import { RawServer, TestClient } from './outbound/support/rig.ts';
import { TestMesh, Wire } from './support/test-mesh.ts';

const target = 'api.shop.svc.cluster.local:80';
const web = testDomain.identity('shop', 'web').dnsName;
const api = testDomain.identity('shop', 'api').dnsName;

/** A shop with the proxies of web and api, the wire between them, and an application that answers in capitals. */
async function openShop() {
  const stack = new AsyncDisposableStack();
  const mesh = stack.use(await new TestMesh().start());
  const wire = stack.use(await new Wire().start());
  const shout = (socket: { write(text: string): void }) => (piece: Buffer) =>
    socket.write(piece.toString().toUpperCase());
  const app = stack.use(await new RawServer((socket) => socket.on('data', shout(socket))).start());
  const file = ({
    account = 'api',
    policy = 'authorizations: [{ name: web, serviceAccounts: [shop/web] }]',
  } = {}) => `
workloads:
  shop/api-0:
    addresses: [127.0.0.1]
    serviceAccount: ${account}
    proxy: { inboundPort: ${wire.address.port} }
    ports:
      ${app.address.port}: { ${policy} }
services:
  shop/api:
    ports:
      80:
        endpoints: [{ workload: shop/api-0, port: ${app.address.port} }]
`;
  mesh.know(file());
  const server = await mesh.proxy('api', { KEDGE_PROXY_INBOUND_FORWARD: `127.0.0.1:0=${app.key}` });
  wire.to = server.addresses.inbound;
  await eventually(() => expect(server.log.withMessage('policy received')).not.toEqual([]));
  return {
    mesh,
    wire,
    app,
    server,
    file,
    /** The proxy of another workload, with a listener for the api. */
    client: (name: string) => mesh.proxy(name, { KEDGE_PROXY_OUTBOUND_FORWARD: `127.0.0.1:0=${target}` }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('two proxies', () => {
  it('carry a request and its answer over mutual TLS, each knowing the other', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
    expect(shop.wire.bytes.includes('hello') || shop.wire.bytes.includes('HELLO')).toBe(false);
    expect(shop.wire.bytes[0]).toBe(22);
    expect(await proxy.metrics.text()).toMatch(
      new RegExp(
        `tcp_open_connections{direction="outbound",peer="dst",.*tls="true",.*server_id="${api}".*} 1`,
      ),
    );
    expect(await shop.server.metrics.text()).toMatch(
      new RegExp(
        `tcp_open_connections{direction="inbound",peer="src",.*tls="true",.*client_id="${web}".*} 1`,
      ),
    );
  });

  it('count the bytes on both sides, also while the connection lives', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
    const counted = async (name: string, peer: string) =>
      new RegExp(`${name}{direction="outbound",peer="${peer}",.*} (\\d+)`).exec(
        await proxy.metrics.text(),
      )?.[1];
    expect(await counted('tcp_read_bytes_total', 'src')).toBe('5');
    expect(await counted('tcp_write_bytes_total', 'dst')).toBe('5');
    client.send('again');
    await eventually(() => expect(client.received).toBe('HELLOAGAIN'));
    expect(await counted('tcp_read_bytes_total', 'dst')).toBe('10');
  });

  it('refuse each other where the server is not who destination says', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    shop.mesh.know(shop.file({ account: 'billing' }));
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(shop.app.connections).toBe(0);
    expect(await proxy.metrics.text()).toMatch(/outbound_tcp_errors_total{error="\w+"} 1/);
  });

  it('refuse each other where policy does not know the client', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('guest');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(shop.app.connections).toBe(0);
    expect(await shop.server.metrics.text()).toMatch(
      /inbound_tcp_authz_deny_total{.*tls="true",client_id="guest\..*} 1/,
    );
  });

  it('part when policy no longer lets the client in', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
    shop.mesh.know(shop.file({ policy: 'policy: deny' }));
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(await shop.server.metrics.text()).toMatch(/inbound_tcp_authz_terminate_total{.*} 1/);
  });

  it('keep a long connection while their certificates and the issuer behind them are replaced', async () => {
    await using shop = await openShop();
    shop.mesh.lifetimeMs = 2_000;
    const proxy = await shop.client('web');
    const [address] = proxy.addresses.outboundForwards;
    using long = new TestClient(address!).send('one ');
    await eventually(() => expect(long.received).toBe('ONE '));
    const obtained = () =>
      proxy.log.withMessage('certificate obtained').map(({ fields }) => fields['issuer']);
    shop.mesh.issuer = shop.mesh.ca.intermediate();
    await eventually(() => expect(new Set(obtained()).size).toBe(2));
    using fresh = new TestClient(address!).send('new');
    await eventually(() => expect(fresh.received).toBe('NEW'));
    long.send('two');
    await eventually(() => expect(long.received).toBe('ONE TWO'));
  });
});

describe('a proxy without a certificate', () => {
  it('is not ready, and holds connections until it has one', async () => {
    await using shop = await openShop();
    shop.mesh.certifies = false;
    const proxy = await shop.client('web');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(proxy.log.withMessage('no certificate yet')).not.toEqual([]));
    expect(proxy.readiness.report()).toContain('waiting: first-certificate: none yet: the issuer is away');
    expect([client.brokenBy, shop.wire.bytes.length]).toEqual([undefined, 0]);
    shop.mesh.certifies = true;
    await eventually(() => expect(client.received).toBe('HELLO'));
    expect(proxy.readiness.ready).toBe(true);
  });
});

describe('a proxy that ends', () => {
  it('accepts no more, lets open connections finish, and is done when they are', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    const [address] = proxy.addresses.outboundForwards;
    using client = new TestClient(address!).send('one ');
    await eventually(() => expect(client.received).toBe('ONE '));
    const closed = proxy.close(new AbortController().signal);
    using late = new TestClient(address!);
    await eventually(() => expect(late.brokenBy).toBe('ECONNREFUSED'));
    client.send('two');
    await eventually(() => expect(client.received).toBe('ONE TWO'));
    client.socket.destroy();
    expect(await closed).toEqual([]);
  });

  it('cuts connections that do not end by the deadline', async () => {
    await using shop = await openShop();
    const proxy = await shop.client('web');
    using client = new TestClient(proxy.addresses.outboundForwards[0]!).send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
    await proxy.close(AbortSignal.abort());
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
  });
});
