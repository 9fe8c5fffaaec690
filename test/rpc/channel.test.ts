import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as tls from 'node:tls';

import type { Credentials } from '../../src/pki/credentials.ts';
import { connectChannel } from '../../src/rpc/connect-channel.ts';
import { ConnectGuard } from '../../src/rpc/connect-guard.ts';
import { destinationClient, destinationService } from '../../src/rpc/destination-api.ts';
import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import type { Service } from '../../src/rpc/service.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { listen } from '../../src/runtime/listen.ts';
import { generalName } from '../support/certificate-builder.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { eventually } from '../support/eventually.ts';
import { frame, tlsIdentity } from '../support/raw-grpc.ts';
import { refusal, refusalOf } from '../support/refusal.ts';
import { clientCredentials, clientIdentity, serverIdentity, startServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import type { TestLeafOptions } from '../support/test-ca.ts';

const request = {
  identity: 'a',
  token: Buffer.from('t'),
  certificateSigningRequest: Buffer.from('c'),
};

/** Answers with the name the client proved to have. */
const whoAmI: Service = identityService({
  certify: async (_, call) => ({
    leafCertificate: Buffer.from(call.peer?.dnsNames[0] ?? 'nobody'),
    intermediateCertificates: [],
  }),
});

async function ask(channel: ReturnType<typeof connectChannel>): Promise<string> {
  return (await identityClient(channel).certify(request)).leafCertificate.toString();
}

function serverWith(ca: TestCa, leaf: TestLeafOptions, issuer = ca) {
  const credentials = issuer.leaf({ identity: serverIdentity, ...leaf }).credentials();
  return startServer([whoAmI], { ca, credentials: new LatestValue<Credentials | undefined>(credentials) });
}

describe('the TLS of a channel', () => {
  const name = serverIdentity.dnsName;
  const wrong: [string, TestLeafOptions, RegExp][] = [
    [
      'with another name',
      { identity: clientIdentity },
      /expected the server to be kedge-identity.*, got web\.shop/,
    ],
    [
      'with the name only as its common name',
      { names: [generalName.dns('other.test')], commonName: name },
      /expected the server to be kedge-identity.*, got other\.test/,
    ],
    [
      'with a wildcard that would cover the name',
      { names: [generalName.dns(`*${name.slice(name.indexOf('.'))}`)] },
      /expected the server to be kedge-identity.*, got \*\.kedge/,
    ],
    ['that has expired', { notAfter: new Date(Date.now() - 1000) }, /certificate has expired/],
    [
      'for clients only',
      { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] },
      /purpose|extended key usage|serverAuth/i,
    ],
    ['that has a critical extension nobody knows', { unknownCritical: true }, /critical extension/],
  ];
  it.each(wrong)('refuses a server certificate %s, and says so', async (_, leaf, message) => {
    const ca = TestCa.create();
    await using server = await serverWith(ca, leaf);
    const log = new LogCapture();
    using channel = server.connect({ log });
    expect(await refusalOf(ask(channel))).toMatch(/^rpc_unavailable: /);
    expect(log.withMessage('TLS to a server failed')[0]?.fields).toMatchObject({
      serverName: name,
      error: expect.stringMatching(message) as string,
    });
  });

  it('refuses a server of another CA with the right name', async () => {
    const ca = TestCa.create();
    await using server = await serverWith(ca, {}, TestCa.create({ commonName: 'other' }));
    using channel = server.connect();
    expect(await refusalOf(ask(channel))).toMatch(/^rpc_unavailable: .*/);
  });

  it('shows no certificate before there is one, and begins anew with the first', async () => {
    const ca = TestCa.create();
    const credentials = new LatestValue<Credentials | undefined>(undefined);
    await using server = await startServer([whoAmI], { ca });
    using channel = server.connect({ credentials });
    await expect(ask(channel)).resolves.toBe('nobody');
    credentials.set(ca.leaf({ identity: clientIdentity }).credentials());
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
  });

  it('keeps a connection over a renewal, and shows the newest certificate on the next one', async () => {
    const ca = TestCa.create();
    const credentials = clientCredentials(ca);
    await using server = await startServer([whoAmI], { ca });
    using channel = server.connect({ credentials });
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
    credentials.set(ca.leaf({ identity: serverIdentity }).credentials());
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
    using second = server.connect({ credentials });
    await expect(ask(second)).resolves.toBe(serverIdentity.dnsName);
  });

  it('shows no certificate that has ended, and begins anew with the next', async () => {
    const ca = TestCa.create();
    const leafUntil = (notAfter: Date) => ca.leaf({ identity: clientIdentity, notAfter }).credentials();
    const now = Date.now();
    const clock = new ManualClock(new Date(now));
    const credentials = new LatestValue<Credentials | undefined>(leafUntil(new Date(now + 60_000)));
    await using server = await startServer([whoAmI], { ca });
    await clock.advance(61_000);
    using channel = server.connect({ credentials, clock });
    await expect(ask(channel)).resolves.toBe('nobody');
    credentials.set(leafUntil(new Date(now + 120_000)));
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
  });

  it('gets through to a server that refuses certificates which have ended', async () => {
    const ca = TestCa.create();
    const ended = ca.leaf({ identity: clientIdentity, notAfter: new Date(Date.now() - 1000) }).credentials();
    await using server = await startServer([whoAmI], { ca });
    using channel = server.connect({ credentials: new LatestValue<Credentials | undefined>(ended) });
    await expect(ask(channel)).resolves.toBe('nobody');
  });

  it('shows no certificate of an anchor that is trusted no more, and begins anew with one that is', async () => {
    const [oldCa, newCa] = [TestCa.create(), TestCa.create()];
    const credentials = clientCredentials(oldCa);
    await using server = await startServer([whoAmI], { ca: newCa });
    using channel = server.connect({ credentials });
    await expect(ask(channel)).resolves.toBe('nobody');
    credentials.set(newCa.leaf({ identity: clientIdentity }).credentials());
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
  });

  it('stays closed when the first certificate comes after it was closed', async () => {
    const credentials = new LatestValue<Credentials | undefined>(undefined);
    await using server = await startServer([whoAmI]);
    const channel = server.connect({ credentials });
    channel.close();
    credentials.set(server.ca.leaf({ identity: clientIdentity }).credentials());
    expect(await refusalOf(ask(channel))).toBe(
      'rpc_unavailable: expected an open channel, got one that was closed',
    );
  });

  it('judges each new connection by the newest anchors', async () => {
    const [oldCa, newCa] = [TestCa.create(), TestCa.create()];
    const bundle = new LatestValue(oldCa.bundle);
    await using server = await startServer([whoAmI], { ca: newCa });
    using channel = server.connect({ bundle });
    expect(await refusalOf(ask(channel))).toMatch(/^rpc_unavailable: /);
    bundle.set(oldCa.bundle.union(newCa.bundle));
    await eventually(() => expect(ask(channel)).resolves.toBe('nobody'));
  });

  it('takes a server whose anchor is an intermediate that is trusted by itself', async () => {
    await using server = await startServer([whoAmI], { ca: TestCa.create().intermediate().asAnchor() });
    using channel = server.connect({ credentials: clientCredentials(server.ca) });
    await expect(ask(channel)).resolves.toBe(clientIdentity.dnsName);
  });

  it('speaks HTTP/2 to a server that selects no ALPN', async () => {
    const ca = TestCa.create();
    const own = ca.leaf({ identity: serverIdentity }).credentials();
    const server = tls.createServer({ ...tlsIdentity(own), minVersion: 'TLSv1.3' }, (socket) => {
      const session = http2.performServerHandshake(socket);
      session.on('error', () => undefined);
      session.on('stream', (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(frame(Buffer.from('0a026f6b', 'hex')));
      });
    });
    const address = await listen(server, { host: '127.0.0.1', port: 0 });
    const channel = connectChannel({
      address,
      serverName: serverIdentity.dnsName,
      credentials: new LatestValue<Credentials | undefined>(undefined),
      bundle: new LatestValue(ca.bundle),
      log: new LogCapture(),
    });
    await expect(ask(channel)).resolves.toBe('ok');
    channel.close();
    server.close();
  });
});

describe('a channel', () => {
  function target(address: net.AddressInfo | { host: string; port: number }, serverName?: string) {
    const { port } = address;
    return {
      address: { host: 'host' in address ? address.host : address.address, port },
      serverName,
      credentials: new LatestValue<Credentials | undefined>(undefined),
      bundle: new LatestValue(TestCa.create().bundle),
      log: new LogCapture(),
      reconnect: { minMs: 20, maxMs: 50 },
    };
  }

  it.each(['10.0.0.1', 'identity.kedge.svc', 'localhost'])('wants a server name for %s', (host) => {
    expect(refusal(() => connectChannel(target({ host, port: 8080 })))).toBe(
      `server_name_missing: expected a TLS server name beside ${host}:8080, got none; only loopback addresses may go without`,
    );
  });

  it('speaks plaintext to a loopback address without a server name', async () => {
    const server = http2.createServer();
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' },
        { endStream: true },
      );
    });
    const address = await listen(server, { host: '127.0.0.1', port: 0 });
    const channel = connectChannel(target(address));
    expect(await refusalOf(ask(channel))).toBe(
      'rpc_unauthenticated: the other side answered Unauthenticated',
    );
    channel.close();
    server.close();
  });

  it('finds a server again that was away', async () => {
    const ca = TestCa.create();
    const first = await startServer([whoAmI], { ca });
    using channel = first.connect();
    await expect(ask(channel)).resolves.toBe('nobody');
    await first.close(AbortSignal.abort());
    expect(await refusalOf(ask(channel))).toMatch(/^rpc_unavailable: /);
    const credentials = new LatestValue<Credentials | undefined>(
      ca.leaf({ identity: serverIdentity }).credentials(),
    );
    await using again = await startServer([whoAmI], { ca, credentials, port: first.address.port });
    await eventually(() => expect(ask(channel)).resolves.toBe('nobody'));
    expect(again.address).toEqual(first.address);
  });

  it('gives up a server that takes the connection and never speaks', async () => {
    const server = net.createServer();
    const address = await listen(server, { host: '127.0.0.1', port: 0 });
    const clock = new ManualClock();
    const channel = connectChannel({ ...target(address, 'web.shop'), clock });
    const asked = refusalOf(ask(channel));
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    await once(socket, 'readable');
    await clock.advance(10_000);
    expect(await asked).toContain('expected web.shop to finish TLS within 10000 ms, got nothing');
    channel.close();
    server.close();
    socket.destroy();
  });

  it('starts afresh when an attempt to connect got nowhere for too long, and works then', async () => {
    const first = await startServer([whoAmI]);
    await first.close(AbortSignal.abort());
    const clock = new ManualClock();
    const channel = connectChannel({
      ...target(first.address, serverIdentity.dnsName),
      bundle: new LatestValue(first.ca.bundle),
      clock,
    });
    expect(await refusalOf(ask(channel))).toMatch(/^rpc_unavailable: .*ECONNREFUSED/);
    await clock.advance(clock.nextDueMs ?? 0);
    await using again = await startServer([whoAmI], { ca: first.ca, port: first.address.port });
    await eventually(() => expect(ask(channel)).resolves.toBe('nobody'));
    channel.close();
    expect(again.address).toEqual(first.address);
    await eventually(() => expect(clock.pending).toBe(0));
  });

  it('ends the calls that are open when it is closed', async () => {
    await using server = await startServer([
      identityService({ certify: () => new Promise(() => undefined) }),
      destinationService({
        get: async (_, call, out) => {
          out.write({ update: undefined });
          await once(call.signal, 'abort');
        },
        getProfile: async () => undefined,
      }),
    ]);
    const channel = server.connect();
    const call = refusalOf(ask(channel));
    const stream = destinationClient(channel).get(
      { scheme: '', path: 'a:1', contextToken: '' },
      new AbortController().signal,
    );
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    channel.close();
    const closed = 'rpc_unavailable: expected an open channel, got one that was closed';
    expect([await call, await refusalOf(reader.next())]).toEqual([closed, closed]);
  });

  it('refuses calls and streams once it is closed', async () => {
    await using server = await startServer([whoAmI]);
    const channel = server.connect();
    await ask(channel);
    channel.close();
    const refused = 'rpc_unavailable: expected an open channel, got one that was closed';
    expect(await refusalOf(ask(channel))).toBe(refused);
    const stream = destinationClient(channel).get(
      { scheme: '', path: 'a:1', contextToken: '' },
      new AbortController().signal,
    );
    expect(await refusalOf(stream[Symbol.asyncIterator]().next())).toBe(refused);
  });
});

describe('an answer that is no message', () => {
  const garbled = Buffer.from('0aff', 'hex');
  const services: Service[] = [
    {
      name: 'io.linkerd.proxy.identity.Identity',
      methods: [
        {
          kind: 'unary',
          path: '/io.linkerd.proxy.identity.Identity/Certify',
          handle: () => Promise.resolve(garbled),
        },
      ],
    },
    {
      name: 'io.linkerd.proxy.destination.Destination',
      methods: [
        {
          kind: 'server_stream',
          path: '/io.linkerd.proxy.destination.Destination/Get',
          handle: async (_, _call, sink) => sink.write(frame(garbled), () => undefined),
        },
      ],
    },
  ];

  // Whoever is refused for what it asked does not ask again.
  it('is a fault of the other side and no refusal of the request', async () => {
    await using server = await startServer(services);
    using channel = server.connect();
    const fault = {
      code: 'answer_malformed',
      kind: 'internal',
      message: 'expected a protobuf message, got 2 bytes that are none: premature EOF',
    };
    await expect(ask(channel)).rejects.toMatchObject(fault);
    const { signal } = new AbortController();
    const question = { scheme: '', path: 'a.b.svc.cluster.local:80', contextToken: '' };
    const stream = destinationClient(channel).get(question, signal);
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject(fault);
  });
});

describe('a connect guard', () => {
  function guarded() {
    const clock = new ManualClock();
    const stuck: number[] = [];
    const guard = new ConnectGuard(clock, 1000, () => stuck.push(clock.now().getTime()));
    return { clock, stuck, guard };
  }

  it('tells of an attempt that neither connects nor is followed by another', async () => {
    const { clock, stuck, guard } = guarded();
    guard.begin();
    await clock.advance(999);
    expect(stuck).toHaveLength(0);
    await clock.advance(1);
    expect(stuck).toHaveLength(1);
  });

  it('is silent about attempts that connect or follow each other', async () => {
    const { clock, stuck, guard } = guarded();
    for (let attempt = 0; attempt < 5; attempt++) {
      guard.begin();
      await clock.advance(900);
    }
    guard.end();
    await clock.advance(5000);
    expect(stuck).toHaveLength(0);
  });
});
