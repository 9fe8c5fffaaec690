import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as tls from 'node:tls';

import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import type { ServerLimits } from '../../src/rpc/limits.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw } from '../support/raw-grpc.ts';
import { serverIdentity, startServer } from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';

const path = '/io.linkerd.proxy.identity.Identity/Certify';
const service = identityService({
  certify: async ({ token }) => ({
    leafCertificate: Buffer.from(String(token.length)),
    intermediateCertificates: [],
  }),
});

function start(limits: Partial<ServerLimits> = {}): Promise<TestServer> {
  return startServer([service], { limits });
}

function trusting(server: TestServer): tls.ConnectionOptions {
  return { ca: server.ca.bundle.pem, servername: serverIdentity.dnsName, ALPNProtocols: ['h2'] };
}

/** An honest client is served, whatever the others do. */
async function servesOthers(server: TestServer): Promise<void> {
  using channel = server.connect();
  const request = { identity: 'a', token: Buffer.from('tok'), certificateSigningRequest: Buffer.from('c') };
  const { leafCertificate } = await identityClient(channel).certify(request);
  expect(leafCertificate.toString()).toBe('3');
}

async function connectTcp({ address }: TestServer): Promise<net.Socket> {
  const socket = net.connect(address.port, address.host);
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

async function refused(server: TestServer, reason: string): Promise<number> {
  const text = await server.metrics.text();
  return Number(new RegExp(`refused_total{reason="${reason}"} (\\d+)`).exec(text)?.[1] ?? 0);
}

async function connectionsAre(server: TestServer, count: number): Promise<void> {
  expect(await server.metrics.text()).toContain(`kedge_grpc_connections ${count}\n`);
}

/** Resolves when it is closed, with an error or without. */
function closeOf(thing: net.Socket | http2.Http2Session | http2.Http2Stream): Promise<void> {
  return new Promise((resolve) => {
    if (thing.closed && thing.destroyed) resolve();
    else thing.once('close', () => resolve());
  });
}

describe('a server among hostile clients', () => {
  it('drops one that never begins TLS, one that stops in its middle and one that sends no TLS', async () => {
    await using server = await start({ handshakeMs: 200 });
    const silent = await connectTcp(server);
    const half = await connectTcp(server);
    // A record header that promises 512 bytes of ClientHello, and the first of them.
    half.write(Buffer.from('160301020001', 'hex'));
    const wrong = await connectTcp(server);
    wrong.write('GET / HTTP/1.1\r\n\r\n');
    await servesOthers(server);
    await Promise.all([silent, half, wrong].map(closeOf));
    expect(await refused(server, 'timeout')).toBe(2);
    expect(await refused(server, 'tls')).toBe(1);
  });

  it('survives connections that are reset before, during and after TLS', async () => {
    await using server = await start();
    (await connectTcp(server)).resetAndDestroy();
    const half = await connectTcp(server);
    half.write(Buffer.from('160301020001', 'hex'));
    half.resetAndDestroy();
    const raw = await connectTcp(server);
    const secure = tls.connect({ socket: raw, ...trusting(server) });
    secure.on('error', () => undefined);
    await eventually(() => connectionsAre(server, 1));
    raw.resetAndDestroy();
    await servesOthers(server);
    await eventually(async () => expect(await refused(server, 'disconnected')).toBe(2));
    await eventually(() => connectionsAre(server, 0));
  });

  it('answers a message of 1 MB as too large, without reading it to its end', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    const { status, message } = await client.call(path, Buffer.alloc(1024 * 1024));
    expect([status, message]).toEqual([8, 'Received message larger than max (1048576 vs 65536)']);
    expect((await client.call(path, Buffer.alloc(0))).status).toBe(0);
  });

  it('answers bytes that are no message as an invalid argument', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    const { status, message } = await client.call(path, Buffer.from('0aff', 'hex'));
    expect(status).toBe(3);
    expect(message).toContain('expected a protobuf message, got 2 bytes that are none');
  });

  it('answers a method and a content type it does not know', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    expect((await client.call('/x.Y/Z', Buffer.alloc(0))).status).toBe(12);
    const stream = client.session.request({ ':method': 'GET', ':path': '/' });
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status']).toBe(415);
  });

  it('refuses headers of 100 KB and goes on serving', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    const stream = client.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      'x-large': 'x'.repeat(100_000),
    });
    stream.on('error', () => undefined);
    stream.end();
    await closeOf(stream);
    expect(stream.rstCode).not.toBe(0);
    await servesOthers(server);
  });

  it('serves others during a flood of pings', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    await once(client.session, 'remoteSettings');
    for (let sent = 0; sent < 2_000 && !client.session.destroyed; sent++) {
      client.session.ping(() => undefined);
    }
    await servesOthers(server);
  });

  it('ends a connection that opens and resets streams in a loop', async () => {
    await using server = await start();
    using client = await connectRaw(server.address, trusting(server));
    const closed = closeOf(client.session);
    const storm = setInterval(() => {
      for (let opened = 0; opened < 200 && !client.session.destroyed; opened++) {
        const stream = client.session.request({
          ':method': 'POST',
          ':path': path,
          'content-type': 'application/grpc',
        });
        stream.on('error', () => undefined);
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
    }, 1);
    try {
      await servesOthers(server);
      await closed;
    } finally {
      clearInterval(storm);
    }
    await servesOthers(server);
  });

  it('takes no more connections than allowed, from one address and in all', async () => {
    await using server = await start({ connectionsPerAddress: 2 });
    const first = await connectTcp(server);
    await connectTcp(server);
    const third = await connectTcp(server);
    await closeOf(third);
    expect(await refused(server, 'too_many_connections')).toBe(1);
    first.destroy();
    await eventually(() => servesOthers(server));
    await using small = await start({ connections: 0 });
    const none = await connectTcp(small);
    await closeOf(none);
    expect(await refused(small, 'too_many_connections')).toBe(1);
  });

  it('asks a connection to go at its age, and closes one without calls', async () => {
    await using server = await start({ ageMs: 100, ageGraceMs: 50 });
    using aged = await connectRaw(server.address, trusting(server));
    await once(aged.session, 'goaway');
    await eventually(() => expect(aged.session.closed).toBe(true));
    await using other = await start({ idleMs: 100 });
    using idle = await connectRaw(other.address, trusting(other));
    await closeOf(idle.session);
  });

  it('drops a client that does not answer pings', async () => {
    await using server = await start({ keepaliveMs: 50, keepaliveTimeoutMs: 50 });
    const mute = tls.connect({ ...server.address, ...trusting(server) });
    // The preface of HTTP/2 and an empty SETTINGS frame, then nothing any more.
    mute.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
    mute.resume();
    mute.on('error', () => undefined);
    await closeOf(mute);
    await eventually(() => connectionsAre(server, 0));
  });
});
