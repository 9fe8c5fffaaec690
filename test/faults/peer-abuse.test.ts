import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';

import { transportProtocol } from '../../src/proxy/transport/transport-header.ts';
import { own } from '../proxy/transport/mesh.ts';
import { eventually } from '../support/eventually.ts';
import { testDomain } from '../support/rpc-server.ts';
import { clientHello } from './support/client-hello.ts';
import { App } from './support/echo.ts';
import { beServed, showServed } from './support/honest.ts';
import { twoProcesses } from './support/two-proxies.ts';
import type { TwoProcesses } from './support/two-proxies.ts';

const api = testDomain.identity('shop', 'api');
const preface = Buffer.from(`${transportProtocol}\r\n\r\n`, 'latin1');

/** A transport header with this port, whatever it is. */
function header(port: number): Buffer {
  const digits: number[] = [];
  for (let rest = port; ; rest >>>= 7) {
    digits.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([preface, Buffer.of(0, 0, 0, digits.length + 1, 0x08, ...digits)]);
}

/** A ClientHello of 64 KiB, in records as long as they may be. */
function hugeHello(): Buffer {
  const body = Buffer.alloc(65_532, 'x');
  const hello = Buffer.concat([Buffer.of(1, 0, 0xff, 0xfc, 3, 3), body.subarray(2)]);
  const records: Buffer[] = [];
  for (let at = 0; at < hello.length; at += 16_384) {
    const piece = hello.subarray(at, at + 16_384);
    records.push(Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 0xff), piece);
  }
  return Buffer.concat(records);
}

let app: App;
let pair: TwoProcesses;
let hello: Buffer;
const measured: string[] = [];

beforeAll(async () => {
  app = await App.echo().start();
  pair = await twoProcesses(app.address, {
    server: { settings: { LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT: '3s' } },
  });
  hello = await clientHello(api.dnsName, transportProtocol);
  measured.push(`nobody: ${showServed(await beServed(pair.address, 20))}`);
});

afterAll(async () => {
  await pair[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  console.log(`An honest client, while these were there:\n${measured.join('\n')}`);
});

/** A connection to the inbound port that does what it must not; its errors are its own business. */
function raw(abuse: (socket: Socket) => void): () => Socket {
  return () => {
    const socket = connect({ ...pair.server.addresses.inbound, noDelay: true });
    return socket.on('error', () => undefined).once('connect', () => abuse(socket));
  };
}

/** The same by a member of the mesh, after TLS. */
function authenticated(abuse: (socket: Socket) => void): () => Socket {
  const { ca } = pair.mesh;
  const leaf = ca.leaf({ identity: testDomain.identity('shop', 'mallory') });
  const secureContext = createSecureContext({ ...own(leaf), ca: ca.bundle.pem });
  return () => {
    const socket = connectTls({
      ...pair.server.addresses.inbound,
      secureContext,
      servername: api.dnsName,
      ALPNProtocols: [transportProtocol],
    });
    return socket.on('error', () => undefined).once('secureConnect', () => abuse(socket));
  };
}

/** One byte a second. */
function drip(bytes: Buffer): (socket: Socket) => void {
  return (socket) => {
    let at = 0;
    const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 1_000);
    socket.once('close', () => clearInterval(timer));
  };
}

const write = (bytes: Buffer) => (socket: Socket) => void socket.write(bytes);

describe('a peer that', () => {
  it.each<[string, string, number, () => () => Socket]>([
    ['says nothing at all', 'tls detection timeout', 500, () => raw(() => undefined)],
    ['sends its ClientHello a byte at a time', 'tls detection timeout', 500, () => raw(drip(hello))],
    ['sends a ClientHello and nothing more', 'mesh_timeout', 500, () => raw(write(hello))],
    ['sends a ClientHello of 64 KB', 'inbound_tls_required', 500, () => raw(write(hugeHello()))],
    ['ends before it has said anything', 'inbound_tls_required', 500, () => raw((socket) => socket.end())],
    [
      'resets in the handshake',
      'i/o',
      500,
      () =>
        raw((socket) => {
          socket.write(hello);
          socket.once('data', () => socket.resetAndDestroy());
        }),
    ],
    [
      'breaks off its handshake with nonsense',
      'mesh_handshake_failed',
      500,
      () =>
        raw((socket) => {
          socket.write(hello);
          socket.once('data', () => socket.write(Buffer.from('no TLS record', 'latin1')));
        }),
    ],
    ['sends no transport header', 'inbound_header_timeout', 100, () => authenticated(() => undefined)],
    [
      'sends its transport header a byte at a time',
      'inbound_header_timeout',
      100,
      () => authenticated(drip(header(80))),
    ],
    ['sends port 0', 'header_malformed', 100, () => authenticated(write(header(0)))],
    ['sends port 70,000', 'header_malformed', 100, () => authenticated(write(header(70_000)))],
    [
      'announces a header of 1 GB',
      'header_malformed',
      100,
      () => authenticated(write(Buffer.concat([preface, Buffer.of(0x40, 0, 0, 0)]))),
    ],
  ])('%s is counted as %s, and nobody else is held up', async (what, reason, count, abuser) => {
    const before = await pair.server.refused(reason);
    const abuse = abuser();
    using abusers = new DisposableStack();
    const closed = Array.from({ length: count }, () => {
      const socket = abusers.adopt(abuse(), (made) => made.destroy());
      return new Promise((resolve) => socket.once('close', resolve).resume());
    });
    const served = await beServed(pair.address, 20);
    measured.push(`${count} that ${what}: ${showServed(served)}`);
    expect(served).toMatchObject({ answered: 100, failures: [] });
    await Promise.all(closed);
    await eventually(async () => expect((await pair.server.refused(reason)) - before).toBe(count));
    await eventually(async () => expect(await pair.server.count('tcp_open_connections')).toBe(0));
  });
});

describe('while 500 peers take all the time there is', () => {
  let patient: TwoProcesses;

  beforeAll(async () => {
    patient = await twoProcesses(app.address, {
      server: { settings: { LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT: '10m' } },
    });
  });

  afterAll(() => patient[Symbol.asyncDispose]());

  it.each<[string, () => (socket: Socket) => void]>([
    ['to say anything', () => () => undefined],
    ['for their ClientHello', () => drip(hello)],
    ['to go on after it', () => write(hello)],
  ])('%s, others need not wait for any of them to end', async (_, abuse) => {
    using abusers = new DisposableStack();
    const begin = abuse();
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connect(patient.server.addresses.inbound).on('error', () => undefined);
      return abusers.adopt(socket, (made) => made.destroy()).once('connect', () => begin(socket));
    });
    // The server accepts in this order, so that whoever comes now comes after all of them.
    await eventually(() => expect(sockets.filter(({ connecting }) => connecting)).toEqual([]));
    const served = await beServed(patient.address, 20);
    expect(served).toMatchObject({ answered: 100, failures: [] });
    expect(sockets.filter(({ closed }) => closed)).toEqual([]);
  });
});
