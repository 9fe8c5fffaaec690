import { annotatedPorts } from '../../../src/destination/kube/annotated-ports.ts';
import {
  annotationProblems,
  workloadDefaults,
} from '../../../src/destination/kube/policy/workload-defaults.ts';
import { PortSet } from '../../../src/runtime/port-set.ts';

const endless = '1-65535,'.repeat(30_000);
const annotated = { ports: [{ name: 'http', port: 8080 }], namespace: undefined };

describe('a list of ports in an annotation', () => {
  it.each([
    ['80, 8000-8001,http', '80,8000-8001,8080'],
    ['x,99999,80', '80'],
    ['', ''],
  ])('%p is %p', (said, ports) => {
    expect(
      annotatedPorts('opaque-ports', { ...annotated, annotations: { 'opaque-ports': said } })?.toString(),
    ).toBe(ports);
  });

  it('is not read where it is endless, so that nobody bypasses a proxy by it', () => {
    const annotations = { 'skip-inbound-ports': endless };
    expect(annotatedPorts('skip-inbound-ports', { ...annotated, annotations })).toBeUndefined();
  });

  it('wants an identity at every port where it is endless, and is told in short', () => {
    const annotations = { 'proxy-require-identity-inbound-ports': endless };
    const workload = {
      kind: 'pod',
      namespace: 'shop',
      name: 'web',
      labels: {},
      ports: [],
      probed: undefined,
    } as const;
    const shop = { name: 'shop', labels: {}, annotations: {} };
    const fallback = { policy: 'all-unauthenticated', opaquePorts: PortSet.parse('')! } as const;
    expect(workloadDefaults({ ...workload, annotations }, shop, 80, fallback).policy).toBe(
      'all-authenticated',
    );
    expect(annotationProblems({ annotations })[0]?.length).toBeLessThan(200);
  });
});
