import path from 'node:path';
import type { ChildOptions } from './child.ts';
import type { World } from './world.ts';

/** Settings of a process: the variables of its environment, and nothing else is in it. */
export type Settings = Record<string, string>;

/** A process as it is started, but for where its log goes. */
export type ProcessOptions = Omit<ChildOptions, 'logFile'>;

const local = (port: number): string => `127.0.0.1:${port}`;

/** The file that starts a process of Kedge: the `main.ts` of its folder, or what lies beside this file in a bundle. */
export function programFile(process: 'identity' | 'destination' | 'proxy'): string {
  return import.meta.filename.endsWith('.ts')
    ? path.join(import.meta.dirname, '..', '..', process, 'main.ts')
    : path.join(import.meta.dirname, `${process}.mjs`);
}

/** The identity service, with the CA it was given and whose tokens it believes; `more` settings come on top. */
export function identityProcess(world: World, more: Settings = {}): ProcessOptions {
  return {
    name: 'identity',
    program: programFile('identity'),
    adminPort: world.ports.identityAdmin,
    settings: {
      KEDGE_IDENTITY_LISTEN_ADDR: local(world.ports.identity),
      KEDGE_ADMIN_LISTEN_ADDR: local(world.ports.identityAdmin),
      KEDGE_TRUST_ANCHORS_FILE: world.anchorsFile,
      KEDGE_ISSUER: 'local',
      KEDGE_ISSUER_LOCAL_DIR: world.path('issuer'),
      KEDGE_TOKEN_ISSUER: world.tokens.url,
      KEDGE_TOKEN_JWKS_FILE: world.path('jwks.json'),
      KEDGE_TOKEN_SUBJECTS_FILE: world.path('subjects.json'),
      ...more,
    },
  };
}

/** The destination service; `more` settings come on top. */
export function destinationProcess(world: World, more: Settings = {}): ProcessOptions {
  return {
    name: 'destination',
    program: programFile('destination'),
    adminPort: world.ports.destinationAdmin,
    settings: {
      KEDGE_DESTINATION_LISTEN_ADDR: local(world.ports.destination),
      KEDGE_POLICY_LISTEN_ADDR: local(world.ports.policy),
      KEDGE_ADMIN_LISTEN_ADDR: local(world.ports.destinationAdmin),
      KEDGE_TRUST_ANCHORS_FILE: world.anchorsFile,
      KEDGE_IDENTITY_ADDR: local(world.ports.identity),
      KEDGE_IDENTITY_NAME: world.identityOf('identity').dnsName,
      KEDGE_TOKEN_FILE: world.path('tokens', 'destination'),
      KEDGE_DESTINATION_FILE: world.path('destination.yaml'),
      KEDGE_DESTINATION_CLIENTS: 'meshed',
      ...more,
    },
  };
}

/** What tells one proxy from another. */
export interface ProxyPlan {
  /** Its ServiceAccount in the namespace `shop`; its pod is called the same with `-0` behind. */
  name: string;
  inbound: number;
  outbound: number;
  admin: number;
  /** Port to listen on, and the port of the application it stands for. */
  inboundForward?: readonly (readonly [listen: number, port: number])[];
  /** Port to listen on, and the target it stands for, such as `api.shop.svc.cluster.local:80`. */
  outboundForward?: readonly (readonly [listen: number, target: string])[];
}

/** A proxy, in the contract's names, that lets nobody in without a policy; `more` settings come on top. */
export function proxyProcess(world: World, plan: ProxyPlan, more: Settings = {}): ProcessOptions {
  const control = world.identityOf('destination').dnsName;
  const workload = JSON.stringify({ ns: 'shop', pod: `${plan.name}-0` });
  const { inboundForward = [], outboundForward = [] } = plan;
  return {
    name: `proxy ${plan.name}`,
    program: programFile('proxy'),
    adminPort: plan.admin,
    settings: {
      LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS: world.anchors,
      LINKERD2_PROXY_IDENTITY_LOCAL_NAME: world.identityOf(plan.name).dnsName,
      LINKERD2_PROXY_IDENTITY_TOKEN_FILE: world.path('tokens', plan.name),
      LINKERD2_PROXY_IDENTITY_SVC_ADDR: local(world.ports.identity),
      LINKERD2_PROXY_IDENTITY_SVC_NAME: world.identityOf('identity').dnsName,
      LINKERD2_PROXY_DESTINATION_SVC_ADDR: local(world.ports.destination),
      LINKERD2_PROXY_DESTINATION_SVC_NAME: control,
      LINKERD2_PROXY_POLICY_SVC_ADDR: local(world.ports.policy),
      LINKERD2_PROXY_POLICY_SVC_NAME: control,
      LINKERD2_PROXY_POLICY_WORKLOAD: workload,
      LINKERD2_PROXY_DESTINATION_CONTEXT: workload,
      LINKERD2_PROXY_INBOUND_DEFAULT_POLICY: 'deny',
      LINKERD2_PROXY_INBOUND_LISTEN_ADDR: local(plan.inbound),
      LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR: local(plan.outbound),
      LINKERD2_PROXY_ADMIN_LISTEN_ADDR: local(plan.admin),
      // An empty variable counts as one that is not set.
      KEDGE_PROXY_INBOUND_FORWARD: inboundForward
        .map(([listen, port]) => `${local(listen)}=${local(port)}`)
        .join(),
      KEDGE_PROXY_OUTBOUND_FORWARD: outboundForward
        .map(([listen, target]) => `${local(listen)}=${target}`)
        .join(),
      ...more,
    },
  };
}
