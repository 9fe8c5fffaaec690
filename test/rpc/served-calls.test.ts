import { once } from 'node:events';
import type * as http2 from 'node:http2';

import type { Call } from '../../src/rpc/call.ts';
import { identityService } from '../../src/rpc/identity-api.ts';
import type { ByteSink } from '../../src/rpc/stream-writer.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, frame } from '../support/raw-grpc.ts';
import type { RawClient } from '../support/raw-grpc.ts';
import { serverIdentity, startServer } from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';

const path = '/test.Service/TwoWay';
const never = new AbortController().signal;

type Handle = (requests: AsyncIterable<Buffer>, call: Call, sink: ByteSink) => Promise<void>;

function startTwoWay(handle: Handle): Promise<TestServer> {
  return startServer([{ name: 'test.Service', methods: [{ kind: 'bidi_stream', path, handle }] }]);
}

function connect({ address, ca }: TestServer): Promise<RawClient> {
  return connectRaw(address, { ca: ca.bundle.pem, servername: serverIdentity.dnsName });
}

function open({ session }: RawClient, at = path): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': at,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  return stream;
}

async function readAll(requests: AsyncIterable<Buffer>): Promise<void> {
  const reader = requests[Symbol.asyncIterator]();
  while ((await reader.next()).done !== true);
}

/** The status that ends the stream, if any does. */
async function statusOf(stream: http2.ClientHttp2Stream): Promise<unknown> {
  let status: unknown;
  const note = (headers: http2.IncomingHttpHeaders): void => void (status = headers['grpc-status'] ?? status);
  stream.on('response', note);
  stream.on('trailers', note);
  stream.resume();
  await once(stream, 'close');
  return status;
}

describe('a two-way stream', () => {
  const handlers: Record<string, Handle> = {
    'has read all requests': readAll,
    'has read enough of them': async (requests) => {
      for await (const request of requests) if (request.length > 0) break;
    },
  };

  it.each(Object.entries(handlers))('ends for its client when the handler %s', async (_, handle) => {
    await using server = await startTwoWay(async (requests, call, sink) => {
      sink.write(frame(Buffer.from('begun')), () => undefined);
      await handle(requests, call, sink);
    });
    using client = await connect(server);
    const stream = open(client);
    stream.end(frame(Buffer.from('request')));
    expect(await statusOf(stream)).toBe('0');
    await server.close(never);
    expect(server.log.withMessage('grace period over, connections cut')).toEqual([]);
  });

  it('ends with the status of what a request made the handler throw', async () => {
    await using server = await startTwoWay(async (requests) => {
      for await (const request of requests) throw new Error(`a fault at ${request.length}`);
    });
    using client = await connect(server);
    const stream = open(client);
    stream.write(frame(Buffer.from('request')));
    expect(await statusOf(stream)).toBe('13');
  });

  it('tells the client that its request is too large, however many pieces of it come', async () => {
    await using server = await startTwoWay(async (requests, _, sink) => {
      sink.write(frame(Buffer.from('begun')), () => undefined);
      await readAll(requests);
    });
    using client = await connect(server);
    const stream = open(client);
    stream.write(frame(Buffer.alloc(70_000)));
    expect(await statusOf(stream)).toBe('8');
  });
});

describe('a call', () => {
  it('that its client gives up before it has asked counts as cancelled', async () => {
    const certify = '/io.linkerd.proxy.identity.Identity/Certify';
    await using server = await startServer([
      identityService({ certify: () => Promise.reject(new Error('expected no call')) }),
    ]);
    using client = await connect(server);
    const stream = open(client, certify);
    const counts = async () =>
      [
        ...(await server.metrics.text()).matchAll(
          /^grpc_server_(\w+)_total\{.*?(?:code="(\w+)")?\} (\d+)$/gm,
        ),
      ].map(([, what, code, count]) => [what, code, count]);
    await eventually(async () => expect(await counts()).toEqual([['started', undefined, '1']]));
    stream.destroy();
    await eventually(async () =>
      expect(await counts()).toEqual([
        ['started', undefined, '1'],
        ['handled', 'Canceled', '1'],
      ]),
    );
  });
});
