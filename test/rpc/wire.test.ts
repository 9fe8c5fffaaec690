import { CertifyRequest, CertifyResponse } from '../../src/rpc/gen/io/linkerd/proxy/identity/identity.ts';
import { DestinationProfile, Update, WeightedAddr } from '../../src/rpc/destination-api.ts';
import { Server } from '../../src/rpc/inbound-policy-api.ts';
import { TrafficSpec } from '../../src/rpc/gen/io/linkerd/proxy/outbound/outbound.ts';
import { WatchRequest, WatchResponse } from '../../src/rpc/gen/kedge/trust/v1/trust.ts';
import { decode, encode } from '../../src/rpc/method.ts';
import type { MessageType } from '../../src/rpc/method.ts';
import { decodeHeader, encodeHeader } from '../../src/rpc/transport-header-message.ts';
import { refusal } from '../support/refusal.ts';

/** Bytes written down by hand from the contract's tables, whitespace for reading. */
function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex');
}

/** The message must read as this value, and this value must be written as these bytes. */
function agrees<T>(type: MessageType<T>, bytes: Buffer, message: T): void {
  expect(decode(type, bytes)).toEqual(message);
  expect(encode(type, message).toString('hex')).toBe(bytes.toString('hex'));
}

describe('the transport header (contract 3.5)', () => {
  it('is 08 b8 2a for port 5432 alone', () => {
    const header = { port: 5432, name: '' };
    expect(decodeHeader(hex('08 b8 2a'))).toEqual({ ...header, sessionProtocol: undefined });
    expect(encodeHeader(header)).toEqual(hex('08 b8 2a'));
  });

  it('is 08 90 3f 1a 02 12 00 for port 8080 with HTTP/2', () => {
    const header = {
      port: 8080,
      name: '',
      sessionProtocol: { kind: { $case: 'http2' as const, value: {} } },
    };
    expect(decodeHeader(hex('08 90 3f 1a 02 12 00'))).toEqual(header);
    expect(encodeHeader(header)).toEqual(hex('08 90 3f 1a 02 12 00'));
  });

  it('is 08 90 3f 1a 02 0a 00 for port 8080 with HTTP/1', () => {
    const header = {
      port: 8080,
      name: '',
      sessionProtocol: { kind: { $case: 'http1' as const, value: {} } },
    };
    expect(decodeHeader(hex('08 90 3f 1a 02 0a 00'))).toEqual(header);
    expect(encodeHeader(header)).toEqual(hex('08 90 3f 1a 02 0a 00'));
  });

  it('carries a name for gateways in field 2', () => {
    expect(decodeHeader(hex('08 50 12 03 61 2e 62'))).toMatchObject({ port: 80, name: 'a.b' });
  });

  it('is refused when it is cut short', () => {
    expect(refusal(() => decodeHeader(hex('08 90 3f 1a 02 12')))).toMatch(
      /^message_malformed: expected a protobuf message, got 6 bytes that are none/,
    );
  });
});

describe('Certify (contract 1.1)', () => {
  it('asks with identity 1, token 2 and CSR 3', () => {
    agrees(CertifyRequest, hex('0a 03 61 2e 62  12 02 01 0a  1a 02 30 00'), {
      identity: 'a.b',
      token: hex('01 0a'),
      certificateSigningRequest: hex('30 00'),
    });
  });

  it('answers with leaf 1, intermediates 2 and a timestamp 3', () => {
    agrees(CertifyResponse, hex('0a 02 30 01  12 02 30 02  12 02 30 03  1a 06 08 80 b0 9d a1 07'), {
      leafCertificate: hex('30 01'),
      intermediateCertificates: [hex('30 02'), hex('30 03')],
      validUntil: new Date('2031-10-02T19:24:48.000Z'),
    });
  });

  it('leaves the end of life out of an answer that has none', () => {
    expect(decode(CertifyResponse, hex('0a 01 30')).validUntil).toBeUndefined();
  });
});

describe('endpoints (contract 4.1)', () => {
  it('write 10.0.0.1 as the fixed32 0x0a000001, port in field 2, weight in field 3', () => {
    const bytes = hex('0a 0a  0a 05 0d 01 00 00 0a  10 90 3f   18 90 4e');
    const message = decode(WeightedAddr, bytes);
    expect(message).toMatchObject({
      addr: { ip: { ip: { $case: 'ipv4', value: 0x0a000001 } }, port: 8080 },
      weight: 10_000,
    });
    expect(encode(WeightedAddr, message)).toEqual(bytes);
  });

  it('write IPv6 as two fixed64, most significant first', () => {
    const bytes = hex('0a 18  0a 14  12 12  09 00 00 00 00 b8 0d 01 20  11 01 00 00 00 00 00 00 00  10 50');
    const message = decode(WeightedAddr, bytes);
    expect(message.addr?.ip?.ip).toEqual({
      $case: 'ipv6',
      value: { first: 0x20010db800000000n, last: 1n },
    });
    expect(encode(WeightedAddr, message)).toEqual(bytes);
  });

  it('name the identity in 5, its server name in 5.4, the inbound port in 6.2 and the opaque hint in 6.3', () => {
    const bytes = hex('2a 0a  0a 03 0a 01 61  22 03 0a 01 62   32 07  12 03 08 af 20  1a 00');
    expect(decode(WeightedAddr, bytes)).toMatchObject({
      tlsIdentity: {
        strategy: { $case: 'dnsLikeIdentity', value: { name: 'a' } },
        serverName: { name: 'b' },
      },
      protocolHint: {
        protocol: { $case: 'opaque', value: {} },
        opaqueTransport: { inboundPort: 4143 },
      },
    });
  });

  it('know a URI identity in 5.3', () => {
    const { tlsIdentity } = decode(WeightedAddr, hex('2a 05  1a 03 0a 01 75'));
    expect(tlsIdentity?.strategy).toEqual({ $case: 'uriLikeIdentity', value: { uri: 'u' } });
  });

  it('come as add 1, remove 2 or no endpoints 3', () => {
    expect(decode(Update, hex('0a 00')).update?.$case).toBe('add');
    expect(decode(Update, hex('12 00')).update?.$case).toBe('remove');
    expect(decode(Update, hex('1a 02 08 01')).update).toEqual({
      $case: 'noEndpoints',
      value: { exists: true },
    });
  });

  it('skip fields nobody here knows', () => {
    // Field 15 as bytes, field 16 as varint, field 17 as fixed32, field 18 as fixed64.
    const unknown = hex('7a 01 00  80 01 01  8d 01 00000000  91 01 0000000000000000');
    expect(decode(WeightedAddr, Buffer.concat([unknown, hex('18 07')])).weight).toBe(7);
  });

  it('come in profiles with opaque 4, name 5 and endpoint 6', () => {
    expect(decode(DestinationProfile, hex('20 01  2a 03 61 2e 62  32 02 18 01'))).toMatchObject({
      opaqueProtocol: true,
      fullyQualifiedName: 'a.b',
      endpoint: { weight: 1 },
    });
  });
});

describe('the smallest policy that is always valid (contract 5.3)', () => {
  const server = Server.fromPartial({
    protocol: { kind: { $case: 'detect', value: { timeout: { seconds: 10n } } } },
    authorizations: [
      {
        networks: [
          { net: { ip: { ip: { $case: 'ipv4', value: 0 } } } },
          { net: { ip: { ip: { $case: 'ipv6', value: { first: 0n, last: 0n } } } } },
        ],
        authentication: { permit: { $case: 'unauthenticated', value: {} } },
        labels: { name: 'all-unauthenticated' },
        metadata: { kind: { $case: 'default', value: 'all-unauthenticated' } },
      },
    ],
    labels: { name: 'all-unauthenticated' },
  });
  const name = '0a 04 6e616d65 12 13 616c6c2d756e61757468656e74696361746564';
  const authz = [
    // Zero is a value inside a oneof: 0d 00000000 must be there.
    '0a 09  0a 07  0a 05  0d 00000000',
    '0a 06  0a 04  0a 02  12 00',
    '12 02  0a 00',
    `1a 1b  ${name}`,
    '22 15  0a 13 616c6c2d756e61757468656e74696361746564',
  ].join('');
  const bytes = hex(`0a 06  0a 04  0a 02 08 0a   1a 4b  ${authz}   22 1b  ${name}`);

  it('is written with every member that is zero or empty but set', () => {
    expect(encode(Server, server).toString('hex')).toBe(bytes.toString('hex'));
  });

  it('is read back with them', () => {
    expect(decode(Server, bytes)).toEqual(server);
  });
});

describe('other messages of the contract', () => {
  it('let in by mesh TLS in 2.2, by names in 1 and by suffixes in 2', () => {
    const authz = hex('1a 13  12 11  12 0f  12 0d  0a 03 0a 01 61  12 06 0a 01 62 0a 01 63');
    expect(decode(Server, authz).authorizations[0]?.authentication?.permit).toEqual({
      $case: 'meshTLS',
      value: {
        clients: {
          $case: 'identities',
          value: { identities: [{ name: 'a' }], suffixes: [{ parts: ['b', 'c'] }] },
        },
      },
    });
  });

  it('ask for outbound policy by address in 2 or authority in 3', () => {
    expect(decode(TrafficSpec, hex('0a 01 77 1a 01 61'))).toEqual({
      sourceWorkload: 'w',
      target: { $case: 'authority', value: 'a' },
    });
  });

  it('publish trust bundles as pem 1 and sha256 2, and report use 1, anchor 2 and refusal 3', () => {
    agrees(WatchResponse, hex('0a 01 70 12 01 68'), { pem: 'p', sha256: 'h' });
    agrees(WatchRequest, hex('0a 01 61 12 01 62 1a 01 63'), {
      sha256InUse: 'a',
      leafAnchorSha256: 'b',
      refusal: 'c',
    });
  });
});
