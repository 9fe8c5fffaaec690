import { readFileSync } from 'node:fs';
import path from 'node:path';
import { application, programsVolume } from './application.ts';
import { meshedLabels, sidecar, tokenVolume } from './sidecar.ts';
import type { SidecarPlan } from './sidecar.ts';

export const shopNamespace = 'shop';

/** The address of the Service `api`, fixed so that a sidecar can be told to lead there by number. */
const apiAddress = '10.96.77.7';

const programs = ['back-end.ts', 'front-end.ts', 'held-connection.ts', 'steady-client.ts'];

/**
 * Two Deployments with a sidecar each: `web`, whose application reaches `api` through its own sidecar, and `api`, which lets
 * in who proves an identity; each with as many pods as told.
 */
export function shopObjects(replicas = 2): object {
  const items = [
    configMap(),
    ...service('api', { clusterIP: apiAddress }),
    deployment('api', replicas, 'back-end.ts', { inboundPorts: [8080] }),
    ...service('web', {}),
    deployment('web', replicas, 'front-end.ts', {
      inboundPorts: [8080],
      outboundForwards: [
        `127.0.0.1:8001=api.${shopNamespace}.svc.cluster.local:80`,
        `127.0.0.1:8002=${apiAddress}:80`,
      ],
    }),
  ];
  return { apiVersion: 'v1', kind: 'List', items };
}

const named = (name: string) => ({ namespace: shopNamespace, name });

const configMap = () => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: named('programs'),
  data: Object.fromEntries(
    programs.map((name) => [name, readFileSync(path.join(import.meta.dirname, name), 'utf8')]),
  ),
});

const service = (name: string, more: object) => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named(name) },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: named(name),
    spec: { ...more, selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  },
];

const deployment = (name: string, replicas: number, program: string, plan: SidecarPlan) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: named(name),
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      metadata: {
        labels: { app: name, ...meshedLabels },
        annotations: { 'config.kedge.io/default-inbound-policy': 'all-authenticated' },
      },
      spec: {
        serviceAccountName: name,
        initContainers: [sidecar(plan)],
        containers: [application({ program, port: 8080 })],
        volumes: [tokenVolume, programsVolume],
      },
    },
  },
});

/** A pod without a sidecar that asks `web` all the time, over new connections. */
export const steadyClient = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: named('steady-client'),
  spec: {
    containers: [
      application({ program: 'steady-client.ts', args: [`http://web.${shopNamespace}.svc.cluster.local`] }),
    ],
    volumes: [programsVolume],
    terminationGracePeriodSeconds: 1,
  },
};
