import { Server } from '../../../src/rpc/inbound-policy-api.ts';
import type { Authn, Authz, ProxyProtocol } from '../../../src/rpc/inbound-policy-api.ts';

/** Who an authorization lets in, as the wire has it. */
export const anyone: Authn = { permit: { $case: 'unauthenticated', value: {} } };
export const meshed: Authn = {
  permit: { $case: 'meshTLS', value: { clients: { $case: 'unauthenticated', value: {} } } },
};
export const named = (identities: string[], suffixes: string[][] = []): Authn => ({
  permit: {
    $case: 'meshTLS',
    value: {
      clients: {
        $case: 'identities',
        value: {
          identities: identities.map((name) => ({ name })),
          suffixes: suffixes.map((parts) => ({ parts })),
        },
      },
    },
  },
});

export const detect: ProxyProtocol = {
  kind: { $case: 'detect', value: { timeout: { seconds: 10n, nanos: 0 }, httpRoutes: [] } },
};
export const opaque: ProxyProtocol = { kind: { $case: 'opaque', value: {} } };
export const http1: ProxyProtocol = { kind: { $case: 'http1', value: { routes: [] } } };

const everyIpv4 = { ip: { ip: { $case: 'ipv4' as const, value: 0 } }, prefixLen: 0 };

/** An authorization from everywhere. */
export function authz(
  authentication: Authn | undefined,
  networks: Authz['networks'] = [{ net: everyIpv4, except: [] }],
): Authz {
  return {
    networks,
    authentication,
    labels: {},
    metadata: {
      kind: {
        $case: 'resource',
        value: {
          group: 'policy.linkerd.io',
          kind: 'authorizationpolicy',
          name: 'rule',
          namespace: 'shop',
          section: '',
          port: 0,
        },
      },
    },
  };
}

/** An answer of the policy service without a flaw. */
export function answer(authorizations: Authz[], protocol: ProxyProtocol | undefined = detect): Server {
  return Server.fromPartial({
    protocol,
    authorizations,
    labels: { group: 'policy.linkerd.io', kind: 'server', name: 'api' },
  });
}
