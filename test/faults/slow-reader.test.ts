import * as http2 from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { GetDestination, Update } from '../../src/rpc/destination-api.ts';
import { destinationClient } from '../../src/rpc/destination-api.ts';
import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import { FoldedSet } from '../destination/support/folded-set.ts';
import { Reader } from '../destination/support/reader.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, frame } from '../support/raw-grpc.ts';
import type { RawClient } from '../support/raw-grpc.ts';
import { serverIdentity, startServer } from '../support/rpc-server.ts';
import type { TestServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import { DeafWire } from './support/deaf-wire.ts';
import { DestinationServer, shopAt } from './support/destination-server.ts';

const get = '/io.linkerd.proxy.destination.Destination/Get';
const certify = '/io.linkerd.proxy.identity.Identity/Certify';
const question = { scheme: '', path: 'api.shop.svc.cluster.local:80', contextToken: '' };
const megabyte = 1024 * 1024;
const timeoutMs = 120_000;

/** Bytes in use once everything that can go has gone. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function connect({ ca, address }: TestServer, by?: DeafWire): Promise<RawClient> {
  return connectRaw(by?.address ?? address, { ca: ca.bundle.pem, servername: serverIdentity.dnsName });
}

/** A call whose answers nobody reads until told. */
function ask({ session }: RawClient, path: string, request: Uint8Array): http2.ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.end(frame(Buffer.from(request)));
  return stream.pause();
}

const endpoints = (weight: number) =>
  shopAt(...Array.from({ length: 100 }, (_, at) => ({ host: `10.0.0.${at}`, port: 80, weight })));

const weightOf = ({ update }: Update): number | undefined =>
  update?.$case === 'add' ? update.value.addrs[0]?.weight : undefined;

/** Every message of a stream from now on. */
function updatesOf(stream: http2.ClientHttp2Stream): Update[] {
  const updates: Update[] = [];
  let pending = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    pending = Buffer.concat([pending, piece]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      const end = 5 + pending.readUInt32BE(1);
      updates.push(Update.decode(pending.subarray(5, end)));
      pending = pending.subarray(end);
    }
  });
  return updates;
}

describe('a client that never reads', () => {
  it(
    'its 200 destination streams holds little of 200 changes, has the last one as soon as it reads, and keeps nobody waiting',
    async () => {
      await using destination = await new DestinationServer(TestCa.create()).start();
      destination.know(endpoints(1));
      await using wire = await new DeafWire(destination.address).start();
      using client = await connect(destination.server, wire);
      const request = GetDestination.encode(GetDestination.fromPartial(question)).finish();
      const streams = Array.from({ length: 200 }, () => ask(client, get, request));
      const open = () => destination.sample('kedge_destination_streams', 'api="get"');
      await eventually(async () => expect(await open()).toBe(200));
      wire.deafen();
      using channel = destination.server.connect();
      await using honest = new Reader((signal) => destinationClient(channel).get(question, signal));
      await honest.next();

      const before = bytesInUse();
      for (let weight = 2; weight <= 201; weight++) {
        destination.know(endpoints(weight));
        // The honest client has each change before the next.
        expect(weightOf(await honest.next())).toBe(weight);
      }
      // All that was sent would be 200 times 200 times 7 KB.
      expect(bytesInUse() - before).toBeLessThan(64 * megabyte);

      const seen = updatesOf(streams[0]!);
      wire.listen();
      for (const other of streams) other.resume();
      await eventually(() => expect(seen.map(weightOf).findLast((weight) => weight !== undefined)).toBe(201));
      // What fits in the window of a stream and what is in flight beside it; the others never waited for it.
      expect(seen.length).toBeLessThan(40);
    },
    timeoutMs,
  );

  it(
    'its 200 destination streams is told nothing of endpoints that came and went meanwhile',
    async () => {
      const others = (change: number) =>
        Array.from({ length: 10 }, (_, at) => ({
          host: `10.${at}.${change >> 8}.${change & 255}`,
          port: 80,
        }));
      await using destination = await new DestinationServer(TestCa.create()).start();
      destination.know(shopAt(...others(0)));
      await using wire = await new DeafWire(destination.address).start();
      using client = await connect(destination.server, wire);
      const request = GetDestination.encode(GetDestination.fromPartial(question)).finish();
      const streams = Array.from({ length: 200 }, () => ask(client, get, request));
      const open = () => destination.sample('kedge_destination_streams', 'api="get"');
      await eventually(async () => expect(await open()).toBe(200));
      wire.deafen();
      using channel = destination.server.connect();
      await using honest = new Reader((signal) => destinationClient(channel).get(question, signal));
      await honest.next();
      for (let change = 1; change <= 1_000; change++) {
        destination.know(shopAt(...others(change)));
        // What is new, then what is gone.
        await honest.next();
        await honest.next();
      }
      const seen = updatesOf(streams[0]!);
      const known = new FoldedSet();
      let applied = 0;
      wire.listen();
      for (const other of streams) other.resume();
      await eventually(() => {
        known.apply(seen.slice(applied));
        applied = seen.length;
        expect(known.keys).toEqual(others(1_000).map(({ host, port }) => `${host}:${port}`));
      });
      for (const { update } of seen) {
        if (update?.$case !== 'noEndpoints') expect(update?.value.addrs).toHaveLength(10);
      }
    },
    timeoutMs,
  );

  it(
    'the answers to its Certify calls holds no more than the calls of one connection, and keeps nobody waiting',
    async () => {
      const answer = {
        leafCertificate: Buffer.alloc(2_000),
        intermediateCertificates: [Buffer.alloc(1_000)],
        validUntil: undefined,
      };
      let answered = 0;
      const service = identityService({
        certify: async () => {
          answered++;
          return Promise.resolve(answer);
        },
      });
      await using server = await startServer([service]);
      await using wire = await new DeafWire(server.address).start();
      using client = await connect(server, wire);
      await new Promise((resolve) => client.session.once('remoteSettings', resolve));
      const before = bytesInUse();
      wire.deafen();
      for (let sent = 0; sent < 5_000; sent++) ask(client, certify, Buffer.alloc(0));
      await eventually(() => expect(answered).toBe(1_000));
      using channel = server.connect();
      const request = { identity: 'a', token: Buffer.alloc(1), certificateSigningRequest: Buffer.alloc(1) };
      for (let i = 0; i < 100; i++) {
        expect((await identityClient(channel).certify(request)).leafCertificate).toHaveLength(2_000);
      }
      expect(answered).toBe(1_000 + 100);
      // The client is in this process too, and holds its 5,000 calls.
      expect(bytesInUse() - before).toBeLessThan(96 * megabyte);
    },
    timeoutMs,
  );
});

describe('a client that opens destination streams and resets them', () => {
  it(
    'leaves no stream and no subscription behind',
    async () => {
      await using destination = await new DestinationServer(TestCa.create()).start();
      destination.know(endpoints(1));
      const streams = () => destination.sample('kedge_destination_streams');
      const subscriptions = () => destination.sample('kedge_destination_subscriptions');
      for (let round = 0; round < 4; round++) {
        using client = await connect(destination.server);
        const ends: Promise<void>[] = [];
        for (let at = 0; at < 500; at++) {
          const path = `api-${at}.shop.svc.cluster.local:80`;
          const request = GetDestination.encode(GetDestination.fromPartial({ ...question, path })).finish();
          const stream = ask(client, get, request);
          ends.push(new Promise((resolve) => stream.once('close', resolve)));
          // Some before the answer, some after it.
          const reset = () => stream.close(http2.constants.NGHTTP2_CANCEL);
          if (at % 2 === 0) setImmediate(reset);
          else stream.once('response', reset);
        }
        await Promise.all(ends);
        await eventually(async () => expect(await subscriptions()).toBe(0));
      }
      await eventually(async () => expect(await streams()).toBe(0));
      expect(await destination.sample('grpc_server_started_total')).toBeGreaterThanOrEqual(1_000);
      expect(await destination.sample('grpc_server_handled_total')).toBe(
        await destination.sample('grpc_server_started_total'),
      );
    },
    timeoutMs,
  );
});
