import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';

import { encodeTransportHeader } from '../../../src/proxy/transport/transport-header.ts';
import type { TransportHeader } from '../../../src/proxy/transport/transport-header.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { fate, readAll, until, web } from '../transport/bench.ts';
import { issuer, webLeaf } from '../transport/mesh.ts';
import { anyone, authz, http1, named, opaque } from './answers.ts';
import { Pod } from './pod.ts';

const onlyWeb = authz(named([web.dnsName]));

/** A direct client that says which port it means, and then `bytes`. */
function ask(pod: Pod, header: TransportHeader, bytes = ''): TLSSocket {
  const client = pod.directly();
  client.write(Buffer.concat([encodeTransportHeader(header), Buffer.from(bytes)]));
  return client;
}

/** The label under which a client that must not get through was counted. */
async function refused(pod: Pod, client: { readonly closed: boolean }): Promise<string> {
  await until(() => pod.observed.refusals.length === 1 && client.closed);
  expect(pod.reached).toEqual([]);
  return pod.observed.refusals[0]!;
}

describe('a direct connection', () => {
  it('reaches the port of its header, with the bytes that came with it', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    ask(pod, { port: pod.app.port }, 'in the same write').end(' and after');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('in the same write and after');
    expect(pod.observed.headers).toEqual([{ port: pod.app.port, clientId: web.dnsName }]);
    expect(pod.observed.decisions[0]).toMatchObject(['allow', { target: pod.app }]);
  });

  it('may bring its header byte by byte', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.directly();
    for (const byte of encodeTransportHeader({ port: pod.app.port })) client.write(Buffer.of(byte));
    client.end('payload');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('payload');
  });

  it('is how an opaque port is reached by mesh TLS', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb], opaque);
    ask(pod, { port: pod.app.port }).end('x');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('x');
  });

  it('may carry HTTP to a port of HTTP only when it says so', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb], http1);
    expect(await refused(pod, ask(pod, { port: pod.app.port }).resume())).toBe('inbound_denied');
    expect(pod.observed.decisions[0]?.[0]).toBe('deny');
    ask(pod, { port: pod.app.port, sessionProtocol: 'http/1' }).end('GET / HTTP/1.1');
    await until(() => pod.reached.length === 1);
    expect(await readAll(pod.reached[0]!)).toBe('GET / HTTP/1.1');
  });

  it('is cut when its port becomes one of HTTP, though it stays authorized', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = ask(pod, { port: pod.app.port }, 'x');
    await until(() => pod.reached.length === 1);
    pod.allow([onlyWeb], http1);
    expect(await fate(client)).toBe('ECONNRESET');
    expect(pod.observed.decisions.map(([decision]) => decision)).toEqual(['allow', 'terminate']);
  });

  it('is subject to the policy of the port it means', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(named(['somebody.else']))]);
    expect(await refused(pod, ask(pod, { port: pod.app.port }).resume())).toBe('inbound_denied');
  });

  it('is refused without TLS', async () => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = await pod.plain(pod.direct);
    client.write('GET / HTTP/1.1\r\n\r\n');
    expect(await refused(pod, client.resume())).toBe('inbound_tls_required');
  });

  it.each([
    ['TLS for another name', { servername: 'other.test' }, 'inbound_tls_required'],
    ['no ALPN', { ALPNProtocols: [] }, 'inbound_header_required'],
    ['another ALPN', { ALPNProtocols: ['h2'] }, 'mesh_alpn'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' as const }, 'mesh_tls_version'],
  ])('is refused with %s', async (_what, options, reason) => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = pod.directly(webLeaf, options);
    expect(await refused(pod, client.resume())).toBe(reason);
  });

  it.each<[string, TestLeaf | 'none', string]>([
    ['no certificate', 'none', 'inbound_identity_required'],
    [
      'a certificate without a name',
      issuer.leaf({ commonName: 'web', names: [] }),
      'inbound_identity_required',
    ],
    ['a certificate of another CA', TestCa.create().leaf({ identity: web }), 'mesh_untrusted'],
  ])('is refused with %s', async (_what, leaf, reason) => {
    await using pod = await Pod.start();
    pod.allow([authz(anyone)]);
    const client = pod.directly(leaf);
    client.write(encodeTransportHeader({ port: pod.app.port }));
    expect(await refused(pod, client.resume())).toBe(reason);
  });

  it('is refused without a header', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.directly();
    client.write('SELECT 1');
    expect(await refused(pod, client.resume())).toBe('header_missing');
  });

  it('is refused when its header does not come in time', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = pod.directly();
    client.write('transport.l5d.io/v1');
    // The ticket is the first that a client hears of the server's being done with TLS.
    await once(client.resume(), 'session');
    await pod.clock.advance(10_000);
    expect(await refused(pod, client)).toBe('inbound_header_timeout');
  });

  it('is refused as a gateway', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    const client = ask(pod, { port: pod.app.port, name: 'billing.shop.svc.cluster.local' });
    expect(await refused(pod, client.resume())).toBe('inbound_gateway_unsupported');
  });

  it('is refused for the inbound port itself', async () => {
    await using pod = await Pod.start();
    pod.allow([onlyWeb]);
    expect(await refused(pod, ask(pod, { port: pod.direct.port }).resume())).toBe('inbound_loop');
  });

  it('is refused for an address that is not of this pod', async () => {
    await using pod = await Pod.start({ addresses: ['10.0.0.7'] });
    pod.allow([onlyWeb]);
    expect(await refused(pod, ask(pod, { port: pod.app.port }).resume())).toBe('inbound_destination_foreign');
  });
});
