import { certificateSeconds } from './world.ts';
import type { World } from './world.ts';

type Settings = Record<string, string>;

const local = (port: number): string => `127.0.0.1:${port}`;

/** Settings of the identity service: the CA it was given, and whose tokens it believes. */
export function identitySettings(world: World): Settings {
  return {
    KEDGE_IDENTITY_LISTEN_ADDR: local(world.ports.identity),
    KEDGE_ADMIN_LISTEN_ADDR: local(world.ports.identityAdmin),
    KEDGE_TRUST_ANCHORS_FILE: world.anchorsFile,
    KEDGE_ISSUER: 'local',
    KEDGE_ISSUER_LOCAL_DIR: world.path('issuer'),
    KEDGE_TOKEN_ISSUER: world.tokens.url,
    KEDGE_TOKEN_JWKS_FILE: world.path('jwks.json'),
    KEDGE_TOKEN_SUBJECTS_FILE: world.path('subjects.json'),
    KEDGE_ISSUANCE_LIFETIME: `${certificateSeconds}s`,
    KEDGE_CLOCK_SKEW_ALLOWANCE: '5s',
  };
}

/** Settings of the destination service. */
export function destinationSettings(world: World): Settings {
  return {
    KEDGE_DESTINATION_LISTEN_ADDR: local(world.ports.destination),
    KEDGE_POLICY_LISTEN_ADDR: local(world.ports.policy),
    KEDGE_ADMIN_LISTEN_ADDR: local(world.ports.destinationAdmin),
    KEDGE_TRUST_ANCHORS_FILE: world.anchorsFile,
    KEDGE_IDENTITY_ADDR: local(world.ports.identity),
    KEDGE_IDENTITY_NAME: world.identityOf('identity').dnsName,
    KEDGE_TOKEN_FILE: world.path('tokens', 'destination'),
    KEDGE_DESTINATION_FILE: world.path('destination.yaml'),
    KEDGE_DESTINATION_CLIENTS: 'meshed',
  };
}

/** What tells one proxy of the demo from another. */
export interface ProxyPlan {
  name: 'web' | 'api' | 'guest';
  inbound: number;
  outbound: number;
  admin: number;
  inboundForward?: string;
  outboundForward?: string;
}

/** The three proxies: the client's, the server's, and that of a workload nobody authorized. */
export function proxyPlans({ ports }: World): ProxyPlan[] {
  const api = 'api.shop.svc.cluster.local:80';
  return [
    {
      name: 'api',
      inbound: ports.apiInbound,
      outbound: ports.apiOutbound,
      admin: ports.apiAdmin,
      inboundForward: `${local(ports.apiForward)}=${local(ports.apiApp)}`,
    },
    {
      name: 'web',
      inbound: ports.webInbound,
      outbound: ports.webOutbound,
      admin: ports.webAdmin,
      outboundForward: `${local(ports.webToApi)}=${api},${local(ports.webToBilling)}=billing.shop.svc.cluster.local:80`,
    },
    {
      name: 'guest',
      inbound: ports.guestInbound,
      outbound: ports.guestOutbound,
      admin: ports.guestAdmin,
      outboundForward: `${local(ports.guestToApi)}=${api}`,
    },
  ];
}

/** Settings of one proxy, in the contract's names. */
export function proxySettings(world: World, plan: ProxyPlan): Settings {
  const control = world.identityOf('destination').dnsName;
  return {
    LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: world.anchors,
    LINKERD2_PROXY_IDENTITY_LOCAL_NAME: world.identityOf(plan.name).dnsName,
    LINKERD2_PROXY_IDENTITY_TOKEN_FILE: world.path('tokens', plan.name),
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: local(world.ports.identity),
    LINKERD2_PROXY_IDENTITY_SVC_NAME: world.identityOf('identity').dnsName,
    LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '1s',
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: local(world.ports.destination),
    LINKERD2_PROXY_DESTINATION_SVC_NAME: control,
    LINKERD2_PROXY_POLICY_SVC_ADDR: local(world.ports.policy),
    LINKERD2_PROXY_POLICY_SVC_NAME: control,
    LINKERD2_PROXY_POLICY_WORKLOAD: JSON.stringify({ ns: 'shop', pod: `${plan.name}-0` }),
    LINKERD2_PROXY_DESTINATION_CONTEXT: JSON.stringify({ ns: 'shop', pod: `${plan.name}-0` }),
    LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
    LINKERD2_PROXY_INBOUND_LISTEN_ADDR: local(plan.inbound),
    LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: local(plan.outbound),
    LINKERD2_PROXY_ADMIN_LISTEN_ADDR: local(plan.admin),
    LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '1s',
    LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '5s',
    LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '5s',
    ...(plan.inboundForward === undefined ? {} : { KEDGE_PROXY_INBOUND_FORWARD: plan.inboundForward }),
    ...(plan.outboundForward === undefined ? {} : { KEDGE_PROXY_OUTBOUND_FORWARD: plan.outboundForward }),
  };
}
