import { once } from 'node:events';
import type { TcpSocketConnectOpts } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls';
import { GetDestination } from '../../src/rpc/gen/io/linkerd/proxy/destination/destination.ts';
import { serverIdentity } from './material.ts';
import { monotonicMs, obey } from './messages.ts';
import type { Material, SubscriberAnswer, SubscriberOrder } from './messages.ts';
import { SubscribedConnection } from './subscribed-connection.ts';
import type { Follower } from './subscribed-connection.ts';

/**
 * A program: everyone who follows a service, in one process. It holds each stream to exactly one message a round, and
 * all messages of a round to the same bytes.
 */
const handshakesAtOnce = 50;
/** Servers bound the connections from one address, so they come from several. */
const sourceAddresses = 20;

type Connect = Extract<SubscriberOrder, { kind: 'connect' }>;

const path = '/io.linkerd.proxy.destination.Destination/Get';
const request = frame(
  GetDestination.encode(GetDestination.fromPartial({ path: 'api.shop.svc.cluster.local:80' })).finish(),
);

let expected = 0;
let waiting = new Set<Follower>();
let followers: readonly Follower[] = [];
let message: Buffer | undefined;
let done: (lastAtMs: number) => void = () => undefined;

function receive(follower: Follower, bytes: Buffer): void {
  message ??= Buffer.from(bytes);
  if (!message.equals(bytes)) throw new Error('expected the same message on every stream');
  if (!waiting.delete(follower)) throw new Error('expected one message on each stream');
  expected -= 1;
  if (expected === 0) done(monotonicMs());
}

async function subscribeAll({ port, connections, streams, material }: Connect): Promise<void> {
  const context = contextOf(material);
  expected = connections * streams;
  const first = new Promise<number>((resolve) => (done = resolve));
  const opened: Follower[] = [];
  let next = 0;
  const connectSome = async (): Promise<void> => {
    while (next < connections) {
      const socket = await openSocket(port, context, next++);
      const connection = new SubscribedConnection(socket, { path, request, streams, onMessage: receive });
      for (const follower of connection.followers) {
        waiting.add(follower);
        opened.push(follower);
      }
    }
  };
  await Promise.all(Array.from({ length: handshakesAtOnce }, connectSome));
  await first;
  followers = opened;
}

/** One suite and group are offered, so that both servers work with the same. */
function contextOf({ chain, key, anchors }: Material): SecureContext {
  const tls = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' } as const;
  return createSecureContext({ ...tls, cert: chain, key, ca: anchors });
}

async function openSocket(port: number, secureContext: SecureContext, at: number): Promise<TLSSocket> {
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
  return socket;
}

/** gRPC's five bytes before a message. */
function frame(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

function awaitRound(): SubscriberAnswer {
  expected = followers.length;
  waiting = new Set(followers);
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
