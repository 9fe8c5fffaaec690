import { tellInformers } from '../../../src/destination/kube/tell-informers.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { Readiness } from '../../../src/runtime/readiness.ts';

function followed() {
  return { synced: new LatestValue(false), problem: new LatestValue<string | undefined>(undefined) };
}

describe('what is said of the informers', () => {
  it('is not ready until everything has been seen, and why', () => {
    const readiness = new Readiness();
    const [pods, services] = [followed(), followed()];
    tellInformers({ pods, services }, readiness);
    expect(readiness.report()).toContain('waiting: kubernetes: not listed yet: pods, services\n');
    services.synced.set(true);
    pods.problem.set('pods are forbidden');
    expect(readiness.report()).toContain('waiting: kubernetes: not listed yet: pods (pods are forbidden)\n');
    pods.problem.set(undefined);
    pods.synced.set(true);
    expect(readiness.report()).toBe('ready\n');
  });

  it('is degraded and goes on being ready when one cannot be followed later', () => {
    const readiness = new Readiness();
    const pods = followed();
    pods.synced.set(true);
    tellInformers({ pods }, readiness);
    pods.problem.set('the API server is away');
    expect(readiness.report()).toBe('ready\ndegraded: kubernetes: the API server is away\n');
    pods.problem.set(undefined);
    expect(readiness.report()).toBe('ready\n');
  });
});
