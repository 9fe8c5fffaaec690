import fc from 'fast-check';

import { readEndpoint } from '../../../src/proxy/outbound/endpoint.ts';
import { WeightedAddr } from '../../../src/rpc/destination-api.ts';
import { apiIdentity, at, dnsIdentity, meshed, uriIdentity } from './support/messages.ts';

const mesh = { kind: 'mesh', identity: apiIdentity, serverName: apiIdentity };
const opaqueTransport = (inboundPort: number) => ({ protocolHint: { opaqueTransport: { inboundPort } } });

describe('an address of discovery', () => {
  it('is read most significant octet first', () => {
    const addr = { ip: { ip: { $case: 'ipv4' as const, value: 0x0a000001 } }, port: 80 };
    expect(readEndpoint(WeightedAddr.fromPartial({ addr }))).toMatchObject({
      key: '10.0.0.1:80',
      host: '10.0.0.1',
      port: 80,
    });
  });

  it('is read from both halves of an IPv6 address', () => {
    const value = { first: 0xfd00_0000_0000_0000n, last: 0x1n };
    const addr = { ip: { ip: { $case: 'ipv6' as const, value } }, port: 443 };
    expect(readEndpoint(WeightedAddr.fromPartial({ addr }))?.key).toBe('[fd00::1]:443');
  });

  it.each([
    ['no address', {}],
    ['no IP', { addr: { port: 80 } }],
    ['port 0', { addr: { ip: { ip: { $case: 'ipv4' as const, value: 1 } }, port: 0 } }],
    ['port 70000', { addr: { ip: { ip: { $case: 'ipv4' as const, value: 1 } }, port: 70000 } }],
  ])('is ignored with %s', (_, parts) => {
    expect(readEndpoint(WeightedAddr.fromPartial(parts))).toBeUndefined();
  });

  it("takes the set's labels, its own winning", () => {
    const endpoint = readEndpoint(at('10.0.0.1:80', { metricLabels: { pod: 'api-0', zone: 'b' } }), {
      service: 'api',
      zone: 'a',
    });
    expect(endpoint?.labels).toEqual({ service: 'api', pod: 'api-0', zone: 'b' });
  });
});

describe("an endpoint's security", () => {
  it.each([
    [
      'plaintext without an identity',
      at('10.0.0.1:80'),
      { kind: 'plain', reason: 'not_provided_by_service_discovery' },
    ],
    [
      'plaintext to its own port without an identity, whatever the hint',
      at('10.0.0.1:80', opaqueTransport(4143)),
      { kind: 'plain', reason: 'not_provided_by_service_discovery' },
    ],
    [
      'mesh TLS to its own port, without a header',
      meshed('10.0.0.1:80'),
      { ...mesh, port: 80, header: undefined },
    ],
    [
      'mesh TLS to the inbound port, with a header for its own',
      meshed('10.0.0.1:80', opaqueTransport(4143)),
      { ...mesh, port: 4143, header: { port: 80 } },
    ],
    [
      'mesh TLS to its own port where the inbound port is 0',
      meshed('10.0.0.1:80', opaqueTransport(0)),
      { ...mesh, port: 80, header: undefined },
    ],
    [
      'mesh TLS to its own port where the inbound port is 65535',
      meshed('10.0.0.1:80', opaqueTransport(65535)),
      { ...mesh, port: 80, header: undefined },
    ],
    [
      'a header with the name of an authority override',
      meshed('10.0.0.1:4143', {
        authorityOverride: { authorityOverride: 'api.shop.svc.cluster.local:7000' },
      }),
      { ...mesh, port: 4143, header: { port: 7000, name: 'api.shop.svc.cluster.local' } },
    ],
    [
      'a server name of its own',
      at('10.0.0.1:80', { tlsIdentity: dnsIdentity(apiIdentity, 'api.example') }),
      { ...mesh, serverName: 'api.example', port: 80, header: undefined },
    ],
    [
      'a URI identity with a server name',
      at('10.0.0.1:80', { tlsIdentity: uriIdentity('spiffe://td/ns/shop/sa/api', 'api.example') }),
      {
        kind: 'mesh',
        identity: 'spiffe://td/ns/shop/sa/api',
        serverName: 'api.example',
        port: 80,
        header: undefined,
      },
    ],
  ])('is %s', (_, source, security) => {
    expect(readEndpoint(source)?.security).toEqual(security);
  });

  it.each([
    [
      'an identity that is no DNS name',
      { tlsIdentity: dnsIdentity('not a name') },
      'an identity that is not a DNS name',
    ],
    [
      'an identity with a dot at its end',
      { tlsIdentity: dnsIdentity('api.') },
      'an identity that is not a DNS name',
    ],
    ['an identity in capitals', { tlsIdentity: dnsIdentity('API') }, 'an identity that is not a DNS name'],
    ['an empty identity', { tlsIdentity: {} }, 'an identity of an unknown kind'],
    [
      'a URI identity without a server name',
      { tlsIdentity: uriIdentity('spiffe://td/x') },
      'a URI identity without a server name',
    ],
    [
      'a URI identity that is no URI',
      { tlsIdentity: uriIdentity('x', 'api') },
      'an identity that is not a URI',
    ],
    [
      'a server name that is no DNS name',
      { tlsIdentity: dnsIdentity('api', 'a b') },
      'a server name that is not a DNS name',
    ],
    [
      'an authority override without a port',
      { tlsIdentity: dnsIdentity('api'), authorityOverride: { authorityOverride: 'api' } },
      'an authority override that is not name:port',
    ],
    [
      'an authority override without an identity',
      { authorityOverride: { authorityOverride: 'api:80' } },
      'a gateway endpoint without an identity',
    ],
  ])('is refusal with %s', (_, parts, problem) => {
    expect(readEndpoint(at('10.0.0.1:80', parts))?.security).toEqual({ kind: 'refused', problem });
  });

  it('is never plaintext where discovery names an identity, whatever it looks like', () => {
    const name = fc.oneof(fc.string(), fc.domain(), fc.constant(apiIdentity));
    const strategy = fc.oneof(
      fc.constant(undefined),
      name.map((value) => dnsIdentity(value).strategy),
      fc.oneof(name, fc.webUrl()).map((value) => uriIdentity(value).strategy),
    );
    const tlsIdentity = fc.record({
      strategy,
      serverName: fc.option(
        name.map((value) => ({ name: value })),
        { nil: undefined },
      ),
    });
    const parts = fc.record({
      tlsIdentity,
      protocolHint: fc.option(
        fc.nat().map((inboundPort) => ({ opaqueTransport: { inboundPort } })),
        { nil: undefined },
      ),
      authorityOverride: fc.option(
        name.map((authorityOverride) => ({ authorityOverride })),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(parts, (given) => {
        const source: WeightedAddr = { ...at('10.0.0.1:80'), ...given };
        expect(readEndpoint(source)?.security.kind).not.toBe('plain');
      }),
      { numRuns: 300 },
    );
  });
});
