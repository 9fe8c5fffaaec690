import { Cluster } from '../../../../src/destination/kube/cluster.ts';
import { clusterInformers } from '../../../../src/destination/kube/cluster-informers.ts';
import { KubePolicySource } from '../../../../src/destination/kube/policy/kube-policy-source.ts';
import { toldFailures } from '../../../destination/kube/support/told-failures.ts';
import { policyInformers } from '../../../../src/destination/kube/policy/policy-informers.ts';
import { keepRouteStatuses } from '../../../../src/destination/kube/policy/route-statuses.ts';
import { tellUnreadable } from '../../../../src/destination/kube/policy/tell-unreadable.ts';
import type { PortPolicy } from '../../../../src/destination/policy-source.ts';
import type { Watched } from '../../../../src/destination/watched.ts';
import type { KubeConnection } from '../../../../src/kube/kube-watch.ts';
import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { IpNetwork } from '../../../../src/runtime/ip-network.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { PortSet } from '../../../../src/runtime/port-set.ts';
import { LogCapture } from '../../../support/log-capture.ts';

/** Policy of a real API server, followed as the destination process does it. */
export class FollowedPolicies implements AsyncDisposable {
  readonly source: KubePolicySource;
  readonly log = new LogCapture();
  readonly metrics = new Metrics();
  /** Of the kinds that only policy is made of. */
  readonly informers: ReturnType<typeof policyInformers>;
  readonly #end = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(client: KubeConnection) {
    const domain = new MeshDomain('kedge', 'mesh.example');
    const common = { client, clock: systemClock, log: this.log, metrics: this.metrics };
    const clusterKinds = clusterInformers(common);
    const policyKinds = (this.informers = policyInformers(common, domain));
    const informers = { ...clusterKinds, ...policyKinds };
    this.source = new KubePolicySource(
      new Cluster(clusterKinds),
      policyKinds,
      {
        policy: 'all-unauthenticated',
        clusterNetworks: [IpNetwork.parse('10.0.0.0/8')!],
        opaquePorts: PortSet.parse('3306')!,
      },
      toldFailures().failures,
    );
    tellUnreadable(informers, common);
    const { signal } = this.#end;
    this.#running = Promise.all([
      ...Object.values(informers).map((each) => each.run(signal)),
      keepRouteStatuses(informers, common, signal),
    ]);
  }

  /** `namespace/pod`. */
  port(workload: string, port: number): Watched<PortPolicy> {
    const [namespace = '', name = ''] = workload.split('/');
    return this.source.watchPolicy({ namespace, name }, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the test is over'));
    await this.#running;
  }
}
