import { once } from 'node:events';

import { encodeTransportHeader, transportProtocol } from '../../../src/proxy/transport/transport-header.ts';
import { dialledDestination } from '../../../src/proxy/original-destination.ts';
import { eventually } from '../../support/eventually.ts';
import { add, apiIdentity, at, dnsIdentity, meshed, noEndpoints, remove } from './support/messages.ts';
import { apiWorkload, meshServer } from './support/mesh-server.ts';
import { api, outboundRig, RawServer, TestClient } from './support/rig.ts';
import { clientIdentity } from '../../support/rpc-server.ts';

const opaqueTransport = (inboundPort: number) => ({ protocolHint: { opaqueTransport: { inboundPort } } });
const accepted = 'accepted for api.shop.svc.cluster.local:7000';

/** A plaintext peer that answers in capitals. */
const plainPeer = () =>
  new RawServer((socket) =>
    socket.on('data', (piece: Buffer) => socket.write(piece.toString().toUpperCase())),
  ).start();

/** A peer that cuts every connection as soon as it has it. */
const cuttingPeer = () => new RawServer((socket) => socket.resetAndDestroy()).start();

/** A port that nobody listens on. */
async function closedPort(): Promise<string> {
  const server = await new RawServer().start();
  await server[Symbol.asyncDispose]();
  return server.key;
}

describe('a connection of the application', () => {
  it('is carried over mutual TLS to the endpoint with exactly the identity that discovery names', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    expect(peer.seen).toMatchObject({
      serverNames: [apiIdentity],
      clients: [expect.stringContaining(clientIdentity.dnsName)],
    });
    expect(rig.seen).toEqual([accepted, `connected to ${peer.key}, mesh`]);
  });

  it('gets its answer after it has ended its own side', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca, {
      serve: (socket) => {
        socket.resume();
        socket.on('end', () => socket.end('goodbye'));
      },
    });
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client();
    client.socket.end('hello');
    await eventually(() => expect(client.received).toBe('goodbye'));
    await eventually(() => expect(rig.seen.at(-1)).toBe('closed: ended'));
  });

  it("is sent to the peer's inbound port behind a header with the endpoint's own port", async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca, { alpn: transportProtocol });
    rig.directory.say(add(meshed('127.0.0.1:5432', opaqueTransport(peer.port))));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toMatch(/hello$/));
    expect(peer.seen.bytes).toEqual(
      Buffer.concat([encodeTransportHeader({ port: 5432 }), Buffer.from('hello')]),
    );
  });

  it('is sent to a gateway behind a header with the name behind it', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca, { alpn: transportProtocol });
    const authorityOverride = { authorityOverride: 'api.shop.svc.remote:7000' };
    rig.directory.say(add(meshed(peer.key, { authorityOverride })));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toMatch(/hello$/));
    const header = encodeTransportHeader({ port: 7000, name: 'api.shop.svc.remote' });
    expect(peer.seen.bytes.subarray(0, header.length)).toEqual(header);
  });

  it('is carried in plaintext where discovery names no identity', async () => {
    await using rig = await outboundRig();
    await using peer = await plainPeer();
    rig.directory.say(add(at(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
    expect(rig.seen).toContain(`connected to ${peer.key}, plain`);
  });

  it('stays in the pod in plaintext where the endpoint is in the pod', async () => {
    await using rig = await outboundRig({ localAddresses: ['127.0.0.1'] });
    await using peer = await plainPeer();
    rig.directory.say(add(meshed(peer.key, opaqueTransport(1))));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
  });

  it('passes through to an address that discovery is not asked for', async () => {
    await using peer = await plainPeer();
    await using rig = await outboundRig({ target: peer.address, scope: { suffixes: [], networks: [] } });
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('HELLO'));
  });

  it('lives on when its endpoint is removed', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    await using other = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client().send('one ');
    await eventually(() => expect(client.received).toBe('one '));
    rig.directory.say(add(meshed(other.key)), remove(peer.key));
    using second = rig.client().send('new');
    await eventually(() => expect(second.received).toBe('new'));
    client.send('two');
    await eventually(() => expect(client.received).toBe('one two'));
    expect(other.seen.bytes.toString()).toBe('new');
  });

  it('is served by what is known while the destination service is away', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using first = rig.client().send('first');
    await eventually(() => expect(first.received).toBe('first'));
    rig.directory.failure.set(new Error('away'));
    await rig.clock.advance(60_000);
    using second = rig.client().send('second');
    await eventually(() => expect(second.received).toBe('second'));
  });
});

describe('an endpoint that does not take a connection', () => {
  it('because it does not listen is passed over for the next, before a byte is lost', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    const key = await closedPort();
    rig.directory.say(add(meshed(key), meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    expect(rig.seen).toEqual([accepted, `${key} failed: connect_refused`, `connected to ${peer.key}, mesh`]);
  });

  it('because it cuts the handshake is passed over for the next', async () => {
    await using rig = await outboundRig();
    await using bad = await cuttingPeer();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(bad.key), meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    expect(bad.bytes.includes('hello')).toBe(false);
  });

  it('because it is another workload is passed over for the next, and gets no byte of the application', async () => {
    await using rig = await outboundRig();
    await using impostor = await meshServer(rig.ca, { identity: clientIdentity });
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(impostor.key), meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    expect(rig.seen).toContain(`${impostor.key} failed: mesh_wrong_identity`);
    expect(impostor.seen.bytes).toHaveLength(0);
  });

  it('because it says nothing is passed over after the connect timeout, which covers TLS', async () => {
    await using rig = await outboundRig();
    await using silent = await new RawServer().start();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(silent.key), meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(silent.bytes[0]).toBe(22));
    expect(rig.seen).toEqual([accepted]);
    await rig.clock.advance(1000);
    await eventually(() => expect(client.received).toBe('hello'));
    expect(rig.seen).toContain(`${silent.key} failed: connect_timeout`);
    expect(silent.bytes.includes('hello')).toBe(false);
  });

  it('is left out until its back-off is over', async () => {
    await using rig = await outboundRig();
    await using bad = await cuttingPeer();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(bad.key), meshed(peer.key)));
    const send = async (text: string): Promise<void> => {
      using client = rig.client().send(text);
      await eventually(() => expect(client.received).toBe(text));
      client.socket.end();
      await eventually(() => expect(rig.seen.at(-1)).toMatch(/^closed/));
    };
    await send('one');
    expect(bad.connections).toBe(1);
    await send('two');
    expect(bad.connections).toBe(1);
    await rig.clock.advance(100);
    await send('three');
    expect(bad.connections).toBe(2);
    await rig.clock.advance(199);
    await send('four');
    expect(bad.connections).toBe(2);
  });

  it('is tried all the same when it is the only one', async () => {
    await using rig = await outboundRig();
    await using bad = await cuttingPeer();
    rig.directory.say(add(meshed(bad.key)));
    for (const attempt of [1, 2]) {
      using client = rig.client().send('hello');
      await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
      expect(bad.connections).toBe(attempt);
    }
    expect(rig.seen.filter((line) => line.startsWith('refused'))).toEqual([
      'refused: connection_reset',
      'refused: connection_reset',
    ]);
  });

  it('because it cuts it when our side of the handshake is done already is left out as well', async () => {
    await using rig = await outboundRig();
    await using stranger = await meshServer(rig.ca, { cuts: true });
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(stranger.key), meshed(peer.key)));
    using unlucky = rig.client().send('lost');
    await eventually(() => expect(unlucky.brokenBy).toBe('ECONNRESET'));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    expect(rig.seen.filter((line) => line.startsWith('connected'))).toEqual([
      `connected to ${stranger.key}, mesh`,
      `connected to ${peer.key}, mesh`,
    ]);
    expect(stranger.seen.bytes).toHaveLength(0);
  });
});

describe('a connection is refused, by a reset and with a counted reason,', () => {
  it('when discovery has not answered for its target by the deadline, and nothing is sent anywhere', async () => {
    await using rig = await outboundRig();
    using client = rig.client().send('hello');
    await eventually(() => expect(rig.seen).toEqual([accepted]));
    await rig.clock.advance(9_999);
    expect(client.brokenBy).toBeUndefined();
    await rig.clock.advance(1);
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen).toEqual([accepted, 'refused: outbound_discovery_silent']);
    expect(rig.log.records.at(-1)?.fields).toMatchObject({
      code: 'outbound_discovery_silent',
      error:
        'expected the destination service to answer for api.shop.svc.cluster.local:7000, got nothing in time',
    });
  });

  it('when the destination service is away and has never answered for the target', async () => {
    await using rig = await outboundRig();
    rig.directory.failure.set(new Error('away'));
    using client = rig.client().send('hello');
    await eventually(() => expect(rig.seen).toEqual([accepted]));
    await rig.clock.advance(10_000);
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen).toEqual([accepted, 'refused: outbound_discovery_silent']);
  });

  it('when the target has no endpoints by the deadline, but not when one comes', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(noEndpoints(true));
    using early = rig.client().send('early');
    await eventually(() => expect(rig.seen).toEqual([accepted]));
    expect(early.brokenBy).toBeUndefined();
    await rig.clock.advance(10_000);
    await eventually(() => expect(rig.seen.at(-1)).toBe('refused: outbound_no_endpoints'));
    using late = rig.client().send('late');
    await eventually(() => expect(rig.seen.at(-1)).toBe(accepted));
    rig.directory.say(add(meshed(peer.key)));
    await eventually(() => expect(late.received).toBe('late'));
  });

  it('at once when the target does not exist', async () => {
    await using rig = await outboundRig();
    rig.directory.say(noEndpoints(false));
    using client = rig.client();
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: outbound_no_such_target');
  });

  it('at once when its name is not to be looked up', async () => {
    await using rig = await outboundRig({ target: { host: 'example.com', port: 80 } });
    using client = rig.client();
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: outbound_not_looked_up');
  });

  it.each([
    ['no identity at all', {}],
    ['one that is no name', dnsIdentity('not a name')],
  ])('when the identity that discovery names is %s, and no byte is sent', async (_, tlsIdentity) => {
    await using rig = await outboundRig();
    await using peer = await plainPeer();
    rig.directory.say(add(at(peer.key, { tlsIdentity })));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: outbound_identity_unusable');
    expect([peer.connections, peer.bytes.length]).toEqual([0, 0]);
  });

  it('when this proxy has no certificate by the deadline, and no byte is sent', async () => {
    await using rig = await outboundRig();
    rig.credentials.set(undefined);
    await using peer = await plainPeer();
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(rig.seen).toEqual([accepted]));
    await rig.clock.advance(9_999);
    expect(client.brokenBy).toBeUndefined();
    await rig.clock.advance(1);
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen).toEqual([accepted, 'refused: mesh_no_certificate']);
    expect([peer.connections, peer.bytes.length]).toEqual([0, 0]);
  });

  it('but not when its certificate comes before the deadline', async () => {
    await using rig = await outboundRig();
    const certificate = rig.credentials.value;
    rig.credentials.set(undefined);
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client().send('hello');
    await rig.clock.advance(5_000);
    expect(peer.seen.bytes).toHaveLength(0);
    rig.credentials.set(certificate);
    await eventually(() => expect(client.received).toBe('hello'));
  });

  it("when the peer's proxy does not select the header's protocol, and no byte follows", async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed('127.0.0.1:5432', opaqueTransport(peer.port))));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: mesh_alpn');
    expect(peer.seen.bytes).toHaveLength(0);
  });

  it('when the only endpoint is another workload', async () => {
    await using rig = await outboundRig();
    await using impostor = await meshServer(rig.ca, { identity: clientIdentity });
    rig.directory.say(add(meshed(impostor.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: mesh_wrong_identity');
    expect(rig.log.text).toContain(`expected the peer to be ${apiWorkload.dnsName}`);
  });

  it('when it was made to the proxy itself', async () => {
    await using rig = await outboundRig();
    const address = await rig.listeners.listen({ host: '127.0.0.1', port: 0 }, dialledDestination);
    using client = new TestClient(address).send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: outbound_loop');
  });

  it('when it was made to the proxy itself, which listens on every address', async () => {
    await using rig = await outboundRig();
    const { port } = await rig.listeners.listen({ host: '0.0.0.0', port: 0 }, dialledDestination);
    using client = new TestClient({ host: '127.0.0.1', port }).send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.at(-1)).toBe('refused: outbound_loop');
  });

  it('when nobody knows where it was meant to go', async () => {
    await using rig = await outboundRig();
    const address = await rig.listeners.listen({ host: '127.0.0.1', port: 0 }, { of: () => undefined });
    using client = new TestClient(address).send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen).toEqual(['accepted for nowhere', 'refused: outbound_loop']);
  });

  it('when its endpoint is the proxy itself', async () => {
    await using rig = await outboundRig();
    rig.directory.say(add(at(`${rig.address.host}:${rig.address.port}`)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
    expect(rig.seen.filter((line) => line === accepted)).toHaveLength(1);
    expect(rig.seen.at(-1)).toBe('refused: outbound_loop');
  });
});

describe('closing', () => {
  it('accepts no more, and waits for open connections', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using client = rig.client().send('hello');
    await eventually(() => expect(client.received).toBe('hello'));
    const closed = rig.listeners.close(new AbortController().signal);
    using late = rig.client();
    await eventually(() => expect(late.brokenBy).toBe('ECONNREFUSED'));
    client.send(' again');
    await eventually(() => expect(client.received).toBe('hello again'));
    client.socket.end();
    await closed;
    expect(rig.seen.at(-1)).toBe('closed: ended');
  });

  it('finds nothing left of clients that came and went at once', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    const clients = Array.from({ length: 40 }, () => rig.client());
    await Promise.all(clients.map(({ socket }) => once(socket, 'connect')));
    for (const [index, { socket }] of clients.entries()) {
      if (index % 4 === 0) socket.end();
      else if (index % 4 === 1) socket.destroy();
      else if (index % 4 === 2) socket.resetAndDestroy();
      else socket.end('a word');
    }
    const count = (begin: RegExp): number => rig.seen.filter((line) => begin.test(line)).length;
    // Of those that were reset some are gone before they are accepted.
    await eventually(() => expect(count(/^accepted/)).toBeGreaterThanOrEqual(30));
    await rig.listeners.close(new AbortController().signal);
    expect(count(/^(closed|refused)/)).toBe(count(/^accepted/));
  });

  it('cuts what is open or held at the deadline', async () => {
    await using rig = await outboundRig();
    await using peer = await meshServer(rig.ca);
    rig.directory.say(add(meshed(peer.key)));
    using open = rig.client().send('hello');
    await eventually(() => expect(open.received).toBe('hello'));
    rig.credentials.set(undefined);
    using held = rig.client().send('hello');
    await eventually(() => expect(rig.seen.at(-1)).toBe(accepted));
    await rig.listeners.close(AbortSignal.abort());
    await eventually(() => expect([open.brokenBy, held.brokenBy]).toEqual(['ECONNRESET', 'ECONNRESET']));
    expect(api.port).toBe(7000);
  });
});
