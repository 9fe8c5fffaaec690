import { IpNetwork } from '../../src/runtime/ip-network.ts';
import {
  allow,
  ANYONE,
  DEFAULT_POLICY_NAMES,
  defaultServerPolicy,
} from '../../src/destination/server-policy.ts';
import { toServer } from '../../src/destination/translate-policy.ts';
import type { Network } from '../../src/rpc/inbound-policy-api.ts';
import { Server } from '../../src/rpc/inbound-policy-api.ts';
import { field } from '../support/protobuf-bytes.ts';
import { readText } from './support/mesh.ts';
import { shopFile } from './support/shop-file.ts';

const workload = { namespace: 'shop', name: 'api-0' };
const cluster = ['10.0.0.0/8', 'fd00::/8'].map((text) => IpNetwork.parse(text) as IpNetwork);
const everyone = { permit: { $case: 'unauthenticated', value: {} } };
const anyMeshed = {
  permit: {
    $case: 'meshTLS',
    value: { clients: { $case: 'identities', value: { identities: [], suffixes: [{ parts: [] }] } } },
  },
};

/** The networks of an authorization as prefix lengths by family. */
function families(networks: readonly Network[]): string[] {
  return networks.map(({ net }) => `${net?.ip?.ip?.$case ?? 'none'}/${net?.prefixLen ?? ''}`);
}

describe('a policy on the wire', () => {
  it.each([
    ['all-unauthenticated', ['ipv4/0', 'ipv6/0'], everyone],
    ['all-authenticated', ['ipv4/0', 'ipv6/0'], anyMeshed],
    ['cluster-unauthenticated', ['ipv4/8', 'ipv6/8'], everyone],
    ['cluster-authenticated', ['ipv4/8', 'ipv6/8'], anyMeshed],
    ['audit', ['ipv4/0', 'ipv6/0'], everyone],
  ] as const)('is for %s one rule of that name', (name, networks, authentication) => {
    const server = toServer(defaultServerPolicy(name, 'detect', cluster), workload);
    const labels = { group: '', kind: 'default', name };
    expect(server.labels).toEqual(labels);
    expect(server.authorizations).toMatchObject([
      { labels, authentication, metadata: { kind: { $case: 'default', value: name } } },
    ]);
    expect(families(server.authorizations[0]!.networks)).toEqual(networks);
  });

  it('is for deny a server without any rule', () => {
    const server = toServer(defaultServerPolicy('deny', 'opaque', cluster), workload);
    expect(server).toMatchObject({
      authorizations: [],
      labels: { group: '', kind: 'default', name: 'deny' },
    });
  });

  it('keeps the rules of the file with their names, networks and clients', () => {
    const policy = readText(shopFile).policy(workload, 7000);
    if (policy === 'unknown_workload') throw new TypeError('expected a policy');
    const server = toServer(policy, workload);
    expect(server.labels).toEqual({ group: 'policy.linkerd.io', kind: 'server', name: 'api-0-7000' });
    expect(server.authorizations[0]).toEqual({
      networks: [
        { net: { ip: { ip: { $case: 'ipv4', value: 0x0a010000 } }, prefixLen: 16 }, except: [] },
        {
          net: { ip: { ip: { $case: 'ipv4', value: 0x0a020000 } }, prefixLen: 16 },
          except: [{ ip: { ip: { $case: 'ipv4', value: 0x0a020900 } }, prefixLen: 24 }],
        },
      ],
      authentication: {
        permit: {
          $case: 'meshTLS',
          value: {
            clients: {
              $case: 'identities',
              value: {
                identities: [{ name: 'web.shop.serviceaccount.identity.kedge.mesh.example' }],
                suffixes: [{ parts: ['batch', 'serviceaccount', 'identity', 'kedge', 'mesh', 'example'] }],
              },
            },
          },
        },
      },
      labels: { group: 'policy.linkerd.io', kind: 'authorizationpolicy', name: 'web-and-batch' },
      metadata: {
        kind: {
          $case: 'resource',
          value: {
            group: 'policy.linkerd.io',
            kind: 'authorizationpolicy',
            name: 'web-and-batch',
            namespace: 'shop',
            section: '',
            port: 0,
          },
        },
      },
    });
  });

  it('lets in whoever speaks mesh TLS where no identity is asked for', () => {
    const rule = {
      kind: 'serverauthorization',
      name: 'tls',
      networks: allow(cluster),
      clients: { kind: 'tls' },
    } as const;
    const policy = { name: 'web', isDefault: false, protocol: 'opaque', authorizations: [rule] } as const;
    const clients = { $case: 'unauthenticated', value: {} };
    expect(toServer(policy, workload).authorizations).toMatchObject([
      {
        authentication: { permit: { $case: 'meshTLS', value: { clients } } },
        labels: { group: 'policy.linkerd.io', kind: 'serverauthorization', name: 'tls' },
      },
    ]);
  });

  it('shows a default rule as one, also beside the rules of a Server', () => {
    const probe = { kind: 'default', name: 'probe', networks: allow(cluster), clients: ANYONE } as const;
    const policy = { name: 'web', isDefault: false, protocol: 'opaque', authorizations: [probe] } as const;
    expect(toServer(policy, workload).authorizations).toMatchObject([
      {
        labels: { group: '', kind: 'default', name: 'probe' },
        metadata: { kind: { $case: 'default', value: 'probe' } },
      },
    ]);
  });

  it.each([
    ['detect', { $case: 'detect', value: { timeout: { seconds: 10n, nanos: 0 }, httpRoutes: [] } }],
    ['opaque', { $case: 'opaque', value: {} }],
    ['tls', { $case: 'tls', value: {} }],
    ['http1', { $case: 'http1', value: { routes: [] } }],
    ['http2', { $case: 'http2', value: { routes: [] } }],
    ['grpc', { $case: 'grpc', value: { routes: [] } }],
  ] as const)('says how the port is read: %s', (protocol, kind) => {
    expect(toServer(defaultServerPolicy('audit', protocol, cluster), workload).protocol).toEqual({ kind });
  });

  it.each(DEFAULT_POLICY_NAMES)('has nothing in it that makes a proxy take %s for invalid', (name) => {
    const server = Server.decode(
      Server.encode(toServer(defaultServerPolicy(name, 'detect', cluster), workload)).finish(),
    );
    const { kind } = server.protocol!;
    expect(kind?.$case === 'detect' && kind.value.timeout).toEqual({ seconds: 10n, nanos: 0 });
    expect(Object.keys(server.labels)).toEqual(['group', 'kind', 'name']);
    for (const { networks, authentication, metadata } of server.authorizations) {
      expect(networks.length).toBeGreaterThan(0);
      expect(networks.every(({ net }) => net?.ip?.ip !== undefined)).toBe(true);
      const permit = authentication?.permit;
      expect(permit?.$case === 'meshTLS' ? permit.value.clients : permit).toBeDefined();
      expect(metadata?.kind).toBeDefined();
    }
  });

  it('has the bytes of contract 5.3', () => {
    const server = toServer(defaultServerPolicy('all-unauthenticated', 'opaque', cluster), workload);
    const entry = (key: string, value: string) => Buffer.concat([field(1, key), field(2, value)]);
    const labels = (number: number) => [
      // An empty text is left out of an entry, and is there for its key nonetheless.
      field(number, field(1, 'group')),
      field(number, entry('kind', 'default')),
      field(number, entry('name', 'all-unauthenticated')),
    ];
    const everyV4 = field(1, field(1, field(1, Buffer.from('0d00000000', 'hex'))));
    const everyV6 = field(1, field(1, field(1, field(2, ''))));
    const authz = Buffer.concat([
      everyV4,
      everyV6,
      field(2, field(1, '')),
      ...labels(3),
      field(4, field(1, 'all-unauthenticated')),
    ]);
    const expected = Buffer.concat([field(1, field(2, '')), field(3, authz), ...labels(4)]);
    expect(Buffer.from(Server.encode(server).finish()).toString('hex')).toBe(expected.toString('hex'));
  });
});
