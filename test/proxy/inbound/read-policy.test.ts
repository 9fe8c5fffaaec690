import { readPolicy } from '../../../src/proxy/inbound/read-policy.ts';
import { Server } from '../../../src/rpc/inbound-policy-api.ts';
import { answer, anyone, authz, detect, http1, meshed, named } from './answers.ts';

/** The network of the first authorization, as text. */
function network(net: { ip: { ip: unknown }; prefixLen: number }): string {
  const networks = [{ net, except: [] }] as Parameters<typeof authz>[1];
  return readPolicy(answer([authz(anyone, networks)])).authorizations[0]!.networks[0]!.network.toString();
}

describe('reading an answer of the policy service', () => {
  it('reads the least that is valid (contract 5.3)', () => {
    const policy = readPolicy(
      Server.fromPartial({
        protocol: detect,
        labels: { group: '', kind: 'default', name: 'all-unauthenticated' },
        authorizations: [
          {
            networks: [
              { net: { ip: { ip: { $case: 'ipv4', value: 0 } }, prefixLen: 0 } },
              { net: { ip: { ip: { $case: 'ipv6', value: { first: 0n, last: 0n } } }, prefixLen: 0 } },
            ],
            authentication: anyone,
            metadata: { kind: { $case: 'default', value: 'all-unauthenticated' } },
          },
        ],
      }),
    );
    expect(policy.protocol).toBe('detect');
    expect(policy.labels).toEqual({ group: '', kind: 'default', name: 'all-unauthenticated' });
    const [first] = policy.authorizations;
    expect(first).toMatchObject({
      labels: { group: '', kind: 'default', name: 'all-unauthenticated' },
      clients: { kind: 'anyone' },
    });
    expect(first!.networks.map(({ network: one }) => one.toString())).toEqual(['0.0.0.0/0', '::/0']);
  });

  it('adds the authorization of this host itself', () => {
    const { authorizations } = readPolicy(answer([]));
    expect(authorizations.map(({ labels }) => labels.name)).toEqual(['localhost']);
    expect(authorizations[0]!.networks.map(({ network: one }) => one.toString())).toEqual([
      '127.0.0.1/32',
      '::1/128',
    ]);
  });

  it('reads addresses with the first octet most significant', () => {
    expect(network({ ip: { ip: { $case: 'ipv4', value: 0x0a000000 } }, prefixLen: 8 })).toBe('10.0.0.0/8');
    expect(network({ ip: { ip: { $case: 'ipv4', value: 0xffffffff } }, prefixLen: 32 })).toBe(
      '255.255.255.255/32',
    );
    const value = { first: 0xfd00000000000000n, last: 1n };
    expect(network({ ip: { ip: { $case: 'ipv6', value } }, prefixLen: 64 })).toBe('fd00::1/64');
  });

  it('reads who is permitted', () => {
    const { authorizations } = readPolicy(
      answer([authz(anyone), authz(meshed), authz(named(['web.shop'], [['shop', 'mesh'], []]))]),
    );
    expect(authorizations.slice(0, 3).map(({ clients }) => clients)).toEqual([
      { kind: 'anyone' },
      { kind: 'meshed' },
      { kind: 'identities', identities: new Set(['web.shop']), suffixes: ['.shop.mesh', ''] },
    ]);
  });

  it.each([
    [{ name: 'default:deny' }, { group: '', kind: 'default', name: 'deny' }],
    [{ name: 'server:api' }, { group: '', kind: 'server', name: 'api' }],
    [{ name: 'api' }, { group: '', kind: 'server', name: 'api' }],
    [
      { group: 'g', kind: 'k', name: 'a:b' },
      { group: 'g', kind: 'k', name: 'a:b' },
    ],
  ])('reads the labels %j', (labels, expected) => {
    expect(readPolicy({ ...answer([]), labels }).labels).toEqual(expected);
  });

  const broken = authz(anyone);
  it.each<[string, Server, string]>([
    ['no protocol', { ...answer([]), protocol: undefined }, 'expected a protocol, got none'],
    ['a protocol of no kind', { ...answer([]), protocol: {} }, 'expected a protocol, got none'],
    [
      'detection without a timeout',
      answer([], { kind: { $case: 'detect', value: { httpRoutes: [] } } }),
      'expected a timeout for detection, got none',
    ],
    [
      'a route without metadata',
      answer([], { kind: { $case: 'http1', value: { routes: [{ authorizations: [], rules: [] }] } } }),
      'expected metadata of each route, got none',
    ],
    [
      'a route without metadata on a port of detection',
      answer([], {
        kind: {
          $case: 'detect',
          value: { timeout: { seconds: 1n, nanos: 0 }, httpRoutes: [{ authorizations: [], rules: [] }] },
        },
      }),
      'expected metadata of each route, got none',
    ],
    ['no name', { ...answer([]), labels: { kind: 'server' } }, 'expected a label "name", got none'],
    [
      'an authorization without networks',
      answer([{ ...broken, networks: [] }]),
      'expected a network in each',
    ],
    [
      'a network without an address',
      answer([authz(anyone, [{ net: undefined, except: [] }])]),
      'expected an address of a network, got none',
    ],
    [
      'a prefix that is too long',
      answer([
        authz(anyone, [{ net: { ip: { ip: { $case: 'ipv4', value: 0 } }, prefixLen: 33 }, except: [] }]),
      ]),
      'expected a prefix length that fits the address, got none',
    ],
    [
      'an exception without an address',
      answer([
        authz(anyone, [
          {
            net: { ip: { ip: { $case: 'ipv4', value: 0 } }, prefixLen: 0 },
            except: [{ ip: undefined, prefixLen: 0 }],
          },
        ]),
      ]),
      'expected an address of a network, got none',
    ],
    ['no authentication', answer([authz(undefined)]), 'expected an authentication, got none'],
    ['nobody permitted', answer([authz({})]), 'expected who is permitted, got none'],
    [
      'mesh TLS for nobody',
      answer([authz({ permit: { $case: 'meshTLS', value: {} } })]),
      'expected which mesh clients are permitted, got none',
    ],
    [
      'an authorization without a name',
      answer([{ ...broken, metadata: undefined, labels: {} }]),
      'expected a label "name", got none',
    ],
    ['metadata of no kind', answer([{ ...broken, metadata: {} }]), 'expected a kind of metadata, got none'],
  ])('takes an answer with %s for invalid', (_what, server, message) => {
    expect(() => readPolicy(server)).toThrow(message);
  });

  it('takes an empty list of routes', () => {
    expect(readPolicy(answer([], http1)).protocol).toBe('http1');
  });
});
