import {
  encodeTransportHeader,
  maxTransportHeaderBytes,
  takeTransportHeader,
} from '../../../src/proxy/transport/transport-header.ts';
import type { TransportHeader } from '../../../src/proxy/transport/transport-header.ts';
import { refusal } from '../../support/refusal.ts';

const preface = '7472616e73706f72742e6c35642e696f2f76310d0a0d0a';
const framed = (messageHex: string, length = messageHex.length / 2): Buffer =>
  Buffer.from(preface + length.toString(16).padStart(8, '0') + messageHex, 'hex');
const read = (bytes: Buffer): TransportHeader | undefined => takeTransportHeader(bytes, false)?.value;

describe('the transport header', () => {
  it.each<[string, TransportHeader]>([
    ['08b82a', { port: 5432 }],
    ['08903f1a021200', { port: 8080, sessionProtocol: 'http/2' }],
    ['08903f1a020a00', { port: 8080, sessionProtocol: 'http/1' }],
    ['08501205612e746573', { port: 80, name: 'a.tes' }],
  ])('reads and writes %s as the contract does', (hex, header) => {
    expect(read(framed(hex))).toEqual(header);
    expect(encodeTransportHeader(header).toString('hex')).toBe(framed(hex).toString('hex'));
  });

  it('starts with the protocol and two line ends, 23 bytes in all, and a length', () => {
    const bytes = encodeTransportHeader({ port: 5432 });
    expect(bytes.subarray(0, 23).toString('latin1')).toBe('transport.l5d.io/v1\r\n\r\n');
    expect(bytes.readUInt32BE(23)).toBe(3);
  });

  it('leaves the bytes behind it to the application', () => {
    const bytes = Buffer.concat([framed('08b82a'), Buffer.from('SELECT 1')]);
    expect(takeTransportHeader(bytes, false)?.consumed).toBe(bytes.length - 8);
  });

  it('reads a session protocol it does not know as none', () => {
    expect(read(framed('08903f1a021a00'))).toEqual({ port: 8080 });
  });

  it('passes over fields it does not know', () => {
    expect(read(framed('08b82a20057a03616263'))).toEqual({ port: 5432 });
  });

  it.each([
    ['no port', '', 'expected a port from 1 to 65535, got 0'],
    ['port 0', '0800', 'expected a port from 1 to 65535, got 0'],
    ['port 65536', '08808004', 'expected a port from 1 to 65535, got 65536'],
    ['a negative port', '08ffffffffffffffffff01', 'expected a port from 1 to 65535, got -1'],
    ['a name that is no DNS name', '085012036120c0', 'expected a DNS name or none, got something else'],
    ['bytes that are no protobuf', '0a', 'expected a protobuf message, got bytes that are none'],
  ])('refuses %s', (_what, hex, message) => {
    expect(refusal(() => read(framed(hex)))).toContain(`header_malformed: ${message}`);
  });

  it('refuses a length beyond 64 KiB before the message has come', () => {
    expect(refusal(() => read(framed('', 65537)))).toBe(
      'header_malformed: expected at most 65536 bytes of header, got 65537',
    );
    expect(read(framed('', 65536))).toBeUndefined();
  });

  it.each(['transport.l5d.io/v2', 'G'])('refuses %j at the first byte that differs', (bytes) => {
    expect(refusal(() => read(Buffer.from(bytes)))).toBe(
      'header_missing: expected transport.l5d.io/v1 at the start, got other bytes',
    );
  });

  it('refuses a connection that ends within it', () => {
    expect(refusal(() => takeTransportHeader(framed('08b82a').subarray(0, 28), true))).toBe(
      'header_missing: expected a whole header, got an end after 28 bytes',
    );
  });

  it('needs no more than its limit', () => {
    expect(maxTransportHeaderBytes).toBe(23 + 4 + 65536);
  });
});
