import { once } from 'node:events';
import http2 from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { TcpSocketConnectOpts } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { GetDestination } from '../../src/rpc/gen/io/linkerd/proxy/destination/destination.ts';
import { serverIdentity } from './material.ts';
import { monotonicMs, obey } from './messages.ts';
import type { Material, SubscriberAnswer, SubscriberOrder } from './messages.ts';

/**
 * A program: everyone who follows a service, in one process, on HTTP/2 alone so that it costs little. It holds each
 * stream to exactly one message a round, and all messages of a round to the same bytes.
 */
const handshakesAtOnce = 50;
/** Servers bound the connections from one address, so they come from several. */
const sourceAddresses = 20;
/** More than all streams of a connection get in one round, so that no round waits for the reader's permission. */
const windowBytes = 16 * 1024 * 1024;

type Connect = Extract<SubscriberOrder, { kind: 'connect' }>;

const path = '/io.linkerd.proxy.destination.Destination/Get';
const request = frame(
  GetDestination.encode(GetDestination.fromPartial({ path: 'api.shop.svc.cluster.local:80' })).finish(),
);

let expected = 0;
let waiting = new Set<ClientHttp2Stream>();
let streams: readonly ClientHttp2Stream[] = [];
let message: Buffer | undefined;
let done: (lastAtMs: number) => void = () => undefined;

function receive(stream: ClientHttp2Stream, bytes: Buffer): void {
  message ??= Buffer.from(bytes);
  if (!message.equals(bytes)) throw new Error('expected the same message on every stream');
  if (!waiting.delete(stream)) throw new Error('expected one message on each stream');
  expected -= 1;
  if (expected === 0) done(monotonicMs());
}

async function subscribeAll({ port, connections, streams: each, material }: Connect): Promise<void> {
  const context = contextOf(material);
  expected = connections * each;
  const first = new Promise<number>((resolve) => (done = resolve));
  const opened: ClientHttp2Stream[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < connections) {
      const session = await openSession(port, context, next++);
      for (let count = 0; count < each; count += 1) {
        const stream = subscribe(session);
        waiting.add(stream);
        opened.push(stream);
      }
    }
  };
  await Promise.all(Array.from({ length: handshakesAtOnce }, worker));
  await first;
  streams = opened;
}

/** One suite and group are offered, so that both servers work with the same. */
function contextOf({ chain, key, anchors }: Material): SecureContext {
  const tls = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' } as const;
  return createSecureContext({ ...tls, cert: chain, key, ca: anchors });
}

async function openSession(
  port: number,
  secureContext: SecureContext,
  at: number,
): Promise<ClientHttp2Session> {
  const options: ConnectionOptions & TcpSocketConnectOpts = {
    secureContext,
    host: '127.0.0.1',
    port,
    localAddress: `127.0.1.${1 + (at % sourceAddresses)}`,
    servername: serverIdentity.dnsName,
    ALPNProtocols: ['h2'],
  };
  const socket = connect(options);
  await once(socket, 'secureConnect');
  const session = http2.connect('https://bench.invalid', { createConnection: () => socket });
  session.once('connect', () => session.setLocalWindowSize(windowBytes));
  return session;
}

function subscribe(session: ClientHttp2Session): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  stream.end(request);
  let held: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      receive(stream, held.subarray(5, end));
      held = held.subarray(end);
    }
  });
  stream.on('close', () => {
    throw new Error('expected the stream to stay open');
  });
  return stream;
}

/** gRPC's five bytes before a message. */
function frame(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

function awaitRound(): SubscriberAnswer {
  expected = streams.length;
  waiting = new Set(streams);
  message = undefined;
  done = (lastAtMs) => {
    const answer: SubscriberAnswer = {
      kind: 'delivered',
      lastAtMs,
      message: message?.toString('base64') ?? '',
    };
    process.send?.(answer);
  };
  return { kind: 'awaiting' };
}

obey(async (given): Promise<SubscriberAnswer> => {
  const order = given as SubscriberOrder;
  if (order.kind === 'await') return awaitRound();
  await subscribeAll(order);
  return { kind: 'connected' };
});
