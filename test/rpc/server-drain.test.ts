import { once } from 'node:events';
import type * as http2 from 'node:http2';
import * as net from 'node:net';

import { healthService } from '../../src/rpc/health-service.ts';
import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import { inboundPolicyClient, inboundPolicyService, Server } from '../../src/rpc/inbound-policy-api.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { field } from '../support/protobuf-bytes.ts';
import { connectRaw, frame } from '../support/raw-grpc.ts';
import type { RawClient } from '../support/raw-grpc.ts';
import { refusalOf } from '../support/refusal.ts';
import { serverIdentity, startServer } from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';

const certifyRequest = {
  identity: 'a',
  token: Buffer.from('t'),
  certificateSigningRequest: Buffer.from('c'),
};
const certified = {
  leafCertificate: Buffer.from('leaf'),
  intermediateCertificates: [],
  validUntil: undefined,
};
const never = new AbortController().signal;

/** A call whose request is sent, and never ended. */
function ask({ session }: RawClient, path: string): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.write(frame(Buffer.alloc(0)));
  return stream;
}

async function begunCalls({ metrics }: TestServer): Promise<number> {
  const begun = (await metrics.text()).matchAll(/^grpc_server_started_total\{.*\} (\d+)$/gm);
  return [...begun].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('a server that closes', () => {
  it('lets unary calls finish, ends streams as unavailable and takes no more connections', async () => {
    const finish = Promise.withResolvers<undefined>();
    const begun = Promise.withResolvers<undefined>();
    await using server = await startServer([
      identityService({
        certify: async () => {
          begun.resolve(undefined);
          await finish.promise;
          return certified;
        },
      }),
      inboundPolicyService({
        getPort: async () => Server.fromPartial({}),
        watchPort: async (_, call, out) => {
          out.write(Server.fromPartial({}));
          await once(call.signal, 'abort');
        },
      }),
    ]);
    using channel = server.connect();
    const call = identityClient(channel).certify(certifyRequest);
    const stream = inboundPolicyClient(channel).watchPort({ workload: 'w', port: 80 }, never);
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await begun.promise;

    const closed = server.close(never);
    expect(await refusalOf(reader.next())).toBe(
      'rpc_unavailable: this server is stopping; open the stream again',
    );
    const { host, port } = server.address;
    await expect(once(net.connect(port, host), 'connect')).rejects.toThrow('ECONNREFUSED');
    finish.resolve(undefined);
    await expect(call).resolves.toEqual(certified);
    await closed;
  });

  it('cuts calls that are open at the deadline, and connections that have not finished TLS', async () => {
    const signals: AbortSignal[] = [];
    await using server = await startServer([
      identityService({
        certify: (_, call) => {
          signals.push(call.signal);
          return new Promise(() => undefined);
        },
      }),
    ]);
    using channel = server.connect();
    const refused = refusalOf(identityClient(channel).certify(certifyRequest));
    await eventually(() => expect(signals).toHaveLength(1));
    const silent = net.connect(server.address.port, server.address.host);
    silent.on('error', () => undefined);
    await once(silent, 'connect');

    const deadline = new AbortController();
    const closed = server.close(deadline.signal);
    deadline.abort();
    await closed;
    expect(await refused).toMatch(/^rpc_(unavailable|cancelled|internal): /);
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
    await eventually(() => expect(silent.destroyed || silent.readyState !== 'open').toBe(true));
    expect(server.log.withMessage('grace period over, connections cut')[0]).toMatchObject({
      level: 'warn',
      fields: { connections: 1 },
    });
  });

  it.each([
    ['a unary call', '/io.linkerd.proxy.identity.Identity/Certify'],
    ['a call for a stream', '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort'],
  ])('waits for no client that does not end the request of %s', async (_, path) => {
    await using server = await startServer([
      identityService({ certify: async () => certified }),
      inboundPolicyService({ getPort: async () => Server.fromPartial({}), watchPort: async () => undefined }),
    ]);
    using client = await connectRaw(server.address, {
      ca: server.ca.bundle.pem,
      servername: serverIdentity.dnsName,
    });
    const stream = ask(client, path);
    const answered = once(stream, 'response');
    await eventually(async () => expect(await begunCalls(server)).toBe(1));

    await server.close(never);
    expect((await answered)[0]).toMatchObject({ 'grpc-status': '14' });
    expect(server.log.withMessage('grace period over, connections cut')).toEqual([]);
  });

  it.each([0, 1, 3])(
    'has told all of an answer of %d messages to a client that never ends its request',
    async (count) => {
      const message = frame(Buffer.alloc(1_000_000));
      const path = '/test.Service/Stream';
      await using server = await startServer([
        {
          name: 'test.Service',
          methods: [
            {
              kind: 'bidi_stream',
              path,
              handle: async (_, _call, sink) => {
                for (let sent = 0; sent < count; sent++) sink.write(message, () => undefined);
              },
            },
          ],
        },
      ]);
      using client = await connectRaw(server.address, {
        ca: server.ca.bundle.pem,
        servername: serverIdentity.dnsName,
      });
      const stream = ask(client, path);
      let answer: http2.IncomingHttpHeaders = {};
      stream.on('response', (headers: http2.IncomingHttpHeaders) => (answer = headers));
      stream.on('trailers', (headers: http2.IncomingHttpHeaders) => (answer = headers));
      let bytes = 0;
      for await (const chunk of stream) bytes += (chunk as Buffer).length;
      expect([bytes, answer['grpc-status']]).toEqual([count * message.length, '0']);
      // The server keeps nothing of it, also while it goes on serving.
      await eventually(() => expect([stream.closed, stream.rstCode]).toEqual([true, 0]));
      await server.close(never);
    },
  );

  it('is closed at once when nobody is connected', async () => {
    await using server = await startServer([]);
    await expect(server.close(never)).resolves.toBeUndefined();
  });
});

describe('the health service', () => {
  const path = '/grpc.health.v1.Health/Check';

  it.each([
    ['the server as a whole', Buffer.alloc(0)],
    ['a service by its name', field(1, 'io.linkerd.proxy.identity.Identity')],
  ])('is served beside the others and tells of %s', async (_, request) => {
    await using server = await startServer([identityService({ certify: async () => certified })]);
    using client = await connectRaw(server.address, {
      ca: server.ca.bundle.pem,
      servername: serverIdentity.dnsName,
    });
    const { status, messages } = await client.call(path, request);
    expect(status).toBe(0);
    expect(messages).toEqual([Buffer.from('0801', 'hex')]);
  });

  it('refuses a service it does not know', async () => {
    await using server = await startServer([]);
    using client = await connectRaw(server.address, {
      ca: server.ca.bundle.pem,
      servername: serverIdentity.dnsName,
    });
    const { status, message } = await client.call(path, field(1, 'x'));
    expect([status, message]).toEqual([5, `expected one of this server's services, got "x"`]);
    // The client would refuse the whole connection for headers of this size.
    const { message: long } = await client.call(path, field(1, 'é'.repeat(30_000)));
    expect(long).toMatch(/^expected one of this server.s services, got "é{80}..." \(30000 characters\)$/);
  });

  it('tells watchers when it stops serving, and that a service is unknown', async () => {
    const serving = new LatestValue(true);
    const watch = healthService(['known'], serving).methods.find(({ kind }) => kind === 'server_stream');
    if (watch?.kind !== 'server_stream') throw new Error('expected a watch');
    const call = new AbortController();
    const seen: Record<string, string[]> = { known: [], other: [] };
    const ends = Object.entries(seen).map(([name, answers]) =>
      watch.handle(
        field(1, name),
        { peerAddress: '127.0.0.1', peer: undefined, signal: call.signal },
        {
          write: (message, sent) => {
            answers.push(message.toString('hex'));
            sent();
          },
          end: () => undefined,
        },
      ),
    );
    await eventually(() => expect(seen).toEqual({ known: ['00000000020801'], other: ['00000000020803'] }));
    serving.set(false);
    await eventually(() =>
      expect(seen).toEqual({
        known: ['00000000020801', '00000000020802'],
        other: ['00000000020803', '00000000020803'],
      }),
    );
    call.abort();
    await Promise.all(ends);
  });
});
