import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { destinationProcess, identityProcess, proxyProcess } from '../../src/cli/demo/processes.ts';
import type { ProcessOptions, ProxyPlan } from '../../src/cli/demo/processes.ts';
import { peerAddress, World } from '../../src/cli/demo/world.ts';

const ports = [
  'northApp',
  'northGate',
  'northWire',
  'northInbound',
  'northOutbound',
  'northAdmin',
  'southApp',
  'southWire',
  'southInbound',
  'southOutbound',
  'southAdmin',
  'webToApi',
  'webToSteady',
  'webToGate',
  'webToSouth',
  'webInbound',
  'webOutbound',
  'webAdmin',
] as const;

export type SoakWorld = World<(typeof ports)[number]>;

/** Long enough to sit out a restart of identity on a busy machine; proxies renew long before its end. */
const certificateSeconds = 40;
const renewalSeconds = 5;

export async function createSoakWorld(): Promise<SoakWorld> {
  const world = await World.create({ prefix: 'kedge-soak-', ports, workloads: ['web', 'north', 'south'] });
  mkdirSync(world.path('memory'));
  return world;
}

/** Kedge's processes, in groups that start one after the other. */
export function kedgeProcesses(world: SoakWorld): ProcessOptions[][] {
  const report = {
    NODE_OPTIONS: `--import="${pathToFileURL(path.join(import.meta.dirname, 'memory-report.ts')).href}"`,
    MEMORY_REPORT: world.path('memory'),
  };
  const times = {
    LINKERD2_PROXY_IDENTITY_MIN_REFRESH: '1s',
    LINKERD2_PROXY_IDENTITY_MAX_REFRESH: `${renewalSeconds}s`,
    // A busy machine is slow, and no fault of the mesh.
    LINKERD2_PROXY_INBOUND_DETECT_TIMEOUT: '20s',
    LINKERD2_PROXY_INBOUND_CONNECT_TIMEOUT: '15s',
    LINKERD2_PROXY_OUTBOUND_CONNECT_TIMEOUT: '15s',
    KEDGE_PROXY_OUTBOUND_HOLD_TIMEOUT: '20s',
    LINKERD2_PROXY_SHUTDOWN_GRACE_PERIOD: '20s',
  };
  const identity = identityProcess(world, {
    KEDGE_ISSUANCE_LIFETIME: `${certificateSeconds}s`,
    KEDGE_CLOCK_SKEW_ALLOWANCE: '5s',
    ...report,
  });
  const { northApp, northGate, southApp } = world.ports;
  // As the ports of a pod's containers: their policy is there before the first connection.
  const applicationPorts: Record<string, number[]> = { north: [northApp, northGate], south: [southApp] };
  const proxies = proxyPlans(world).map((plan) =>
    proxyProcess(world, plan, {
      ...times,
      ...report,
      LINKERD2_PROXY_INBOUND_PORTS: (applicationPorts[plan.name] ?? []).join(),
    }),
  );
  return [[identity], [destinationProcess(world, report)], proxies];
}

/** The servers, and what stands between the proxies. */
export function applications({ ports: at }: SoakWorld): ProcessOptions[] {
  const program = (name: string): string => path.join(import.meta.dirname, `${name}.ts`);
  const server = (name: string, ...listen: number[]): ProcessOptions => ({
    name,
    program: program('echo-server'),
    args: [name, ...listen.map(String)],
  });
  const wires = [`${at.northWire}=${at.northInbound}`, `${at.southWire}=${at.southInbound}`];
  return [
    server('north', at.northApp, at.northGate),
    server('south', at.southApp),
    { name: 'wire', program: program('peer-relay'), args: [peerAddress, ...wires] },
  ];
}

function proxyPlans({ ports: at }: SoakWorld): ProxyPlan[] {
  const service = (name: string): string => `${name}.shop.svc.cluster.local:80`;
  return [
    { name: 'north', inbound: at.northInbound, outbound: at.northOutbound, admin: at.northAdmin },
    { name: 'south', inbound: at.southInbound, outbound: at.southOutbound, admin: at.southAdmin },
    {
      name: 'web',
      inbound: at.webInbound,
      outbound: at.webOutbound,
      admin: at.webAdmin,
      outboundForward: [
        [at.webToApi, service('api')],
        [at.webToSteady, service('steady')],
        [at.webToGate, service('gate')],
        [at.webToSouth, service('south')],
      ],
    },
  ];
}
