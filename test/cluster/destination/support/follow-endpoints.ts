import { Cluster } from '../../../../src/destination/kube/cluster.ts';
import { clusterInformers } from '../../../../src/destination/kube/cluster-informers.ts';
import { KubeEndpointSource } from '../../../../src/destination/kube/kube-endpoint-source.ts';
import { toldFailures } from '../../../destination/kube/support/told-failures.ts';
import type { EndpointSet } from '../../../../src/destination/endpoint-set.ts';
import type { TargetProfile } from '../../../../src/destination/endpoint-source.ts';
import { parseTarget } from '../../../../src/destination/target.ts';
import type { ServiceTarget } from '../../../../src/destination/target.ts';
import type { Watched } from '../../../../src/destination/watched.ts';
import type { KubeConnection } from '../../../../src/kube/kube-watch.ts';
import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { LatestValue } from '../../../../src/runtime/latest.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { PortSet } from '../../../../src/runtime/port-set.ts';
import { LogCapture } from '../../../support/log-capture.ts';

/** Endpoints of a real API server, followed as the destination process does it. */
export class FollowedEndpoints implements Disposable {
  readonly informers: ReturnType<typeof clusterInformers>;
  readonly source: KubeEndpointSource;
  readonly #end = new AbortController();

  constructor(client: KubeConnection) {
    const log = new LogCapture();
    this.informers = clusterInformers({ client, clock: systemClock, log, metrics: new Metrics() });
    this.source = new KubeEndpointSource(
      new Cluster(this.informers),
      {
        domain: new MeshDomain('kedge', 'cluster.local'),
        opaquePorts: PortSet.parse('3306')!,
        protocols: {
          synced: new LatestValue(true),
          protocolOf: () => undefined,
          subscribe: () => () => undefined,
        },
        log,
      },
      toldFailures().failures,
    );
    for (const informer of Object.values(this.informers)) void informer.run(this.#end.signal);
  }

  async synced(): Promise<void> {
    const all = Object.values(this.informers).map(({ synced }) => synced.until(Boolean, this.#end.signal));
    await Promise.all(all);
  }

  /** `service.namespace:port`. */
  endpoints(path: string): Watched<EndpointSet> {
    return this.source.watchEndpoints(targetOf(path) as ServiceTarget);
  }

  /** The endpoints as they are now. */
  now(path: string): string[] {
    const watched = this.endpoints(path);
    watched.close();
    return [...(watched.state.value?.endpoints.keys() ?? [])].sort();
  }

  profile(path: string): TargetProfile | undefined {
    const watched = this.source.watchProfile(targetOf(path));
    watched.close();
    return watched.state.value;
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error('the test is over'));
  }
}

function targetOf(path: string) {
  const [host = '', port = ''] = path.split(/:(?=\d+$)/);
  return parseTarget(/^[a-z]/.test(host) ? `${host}.svc.cluster.local:${port}` : path, 'cluster.local');
}
