import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:tls';

import { detectTls, maxClientHelloBytes } from '../../../src/proxy/transport/client-hello.ts';
import type { Detected } from '../../../src/proxy/transport/client-hello.ts';

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const vector16 = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(body.length), body]);
};
const extension = (type: number, ...parts: Buffer[]): Buffer =>
  Buffer.concat([u16(type), vector16(...parts)]);
const hostName = (name: string): Buffer =>
  extension(0, vector16(Buffer.from([0]), vector16(Buffer.from(name, 'latin1'))));
const padding = (bytes: number): Buffer => extension(21, Buffer.alloc(bytes));

/** A ClientHello in one record, with the extensions given. */
function clientHello(...extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    vector16(u16(0x1301)),
    Buffer.from([1, 0]),
    vector16(...extensions),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), vector16(message)]);
}

const detect = (bytes: Buffer, last = false): Detected | undefined => detectTls(bytes, last)?.value;
const api = 'api.shop.serviceaccount.identity.kedge.cluster.local';
const other: Detected = { kind: 'other' };

describe('detection of TLS', () => {
  it('finds the server name wherever its extension stands', () => {
    expect(detect(clientHello(hostName(api)))).toEqual({ kind: 'tls', serverName: api });
    expect(detect(clientHello(padding(20), hostName(api), padding(3)))).toEqual({
      kind: 'tls',
      serverName: api,
    });
  });

  it('consumes nothing', () => {
    expect(detectTls(clientHello(hostName(api)), false)?.consumed).toBe(0);
  });

  it('compares names without regard to case', () => {
    expect(detect(clientHello(hostName('API.Shop')))).toEqual({ kind: 'tls', serverName: 'api.shop' });
  });

  it('takes a hello as large as a hybrid key share makes it', () => {
    expect(detect(clientHello(padding(1500), hostName(api)))).toMatchObject({ serverName: api });
  });

  it.each([
    ['a record version of TLS 1.2', 2, 3],
    ['a record version of TLS 1.0', 2, 1],
  ])('accepts %s', (_what, at, value) => {
    const hello = clientHello(hostName(api));
    hello[at] = value;
    expect(detect(hello)).toMatchObject({ serverName: api });
  });

  it.each([
    ['another record type', 0, 23],
    ['another major version', 1, 2],
    ['a record version nobody sends', 2, 4],
    ['another handshake message', 5, 2],
    ['a message longer than a record can be', 6, 1],
    ['another legacy version', 10, 4],
  ])('takes %s for no TLS', (_what, at, value) => {
    const hello = clientHello(hostName(api));
    hello[at] = value;
    expect(detect(hello)).toEqual(other);
  });

  it.each<[string, Buffer]>([
    ['a hello without a server name', clientHello(padding(4))],
    ['a hello with an empty server name', clientHello(hostName(''))],
    ['a server name that is no host name', clientHello(hostName('a b'))],
    ['a hello that needs a second record', clientHello(hostName(api)).subarray(0, 60)],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a TLS alert', Buffer.from([21, 3, 3, 0, 2, 2, 40])],
  ])('takes %s for nothing that mesh TLS could be', (_what, bytes) => {
    expect(detect(bytes, true)).toEqual(other);
  });

  it('takes a hello for none where its record holds more than it', () => {
    const hello = clientHello(hostName(api));
    const longer = Buffer.concat([hello, Buffer.from([0])]);
    longer.writeUInt16BE(hello.length - 5 + 1, 3);
    expect(detect(longer)).toEqual(other);
  });

  it('decides at once about a record that is longer than any honest hello', () => {
    const start = clientHello(padding(maxClientHelloBytes), hostName(api)).subarray(0, 11);
    expect(detect(start)).toEqual(other);
  });

  it('says nothing before the first byte, and that it is no TLS when none will come', () => {
    expect(detect(Buffer.alloc(0))).toBeUndefined();
    expect(detect(Buffer.alloc(0), true)).toEqual(other);
  });

  it('reads what a real client sends', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      servername: api,
    });
    client.on('error', () => undefined);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const [hello] = (await once(socket, 'data')) as [Buffer];
    expect(detect(hello)).toEqual({ kind: 'tls', serverName: api });
    client.destroy();
    server.close();
  });
});
