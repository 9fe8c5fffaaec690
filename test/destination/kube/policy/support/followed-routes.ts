import { policyInformers } from '../../../../../src/destination/kube/policy/policy-informers.ts';
import { keepRouteStatuses } from '../../../../../src/destination/kube/policy/route-statuses.ts';
import type { KubeObject } from '../../../../../src/kube/kube-object.ts';
import { pathOf } from '../../../../../src/kube/resource.ts';
import type { Resource } from '../../../../../src/kube/resource.ts';
import { policyHttpRoutes } from '../../../../../src/kube/resources.ts';
import { Metrics } from '../../../../../src/runtime/metrics.ts';
import { fixedCredentials, TestConnection } from '../../../../kube/support/kube-connection.ts';
import { eventually } from '../../../../support/eventually.ts';
import type { FakeKubeApi } from '../../../../support/fake-kube-api.ts';
import { LogCapture } from '../../../../support/log-capture.ts';
import { ManualClock } from '../../../../support/manual-clock.ts';
import { mesh } from '../../../support/mesh.ts';

/** A route as the API has it. */
export interface Route extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** The routes of an API server, whose status is kept right on a clock that the test moves; ends with the test. */
export class FollowedRoutes implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly #api: FakeKubeApi;
  readonly #connection: TestConnection;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(api: FakeKubeApi) {
    this.#api = api;
    const { clock, log } = this;
    const metrics = new Metrics();
    const client = (this.#connection = TestConnection.to({
      load: fixedCredentials(api.url),
      clock,
      metrics,
    }));
    const { signal } = this.#stop;
    const informers = policyInformers({ client, clock, log, metrics }, mesh);
    const { routes, gatewayHttpRoutes, gatewayGrpcRoutes } = informers;
    this.#running = Promise.all([
      ...[routes, gatewayHttpRoutes, gatewayGrpcRoutes].map((each) => each.run(signal)),
      keepRouteStatuses(informers, { client, clock, log }, signal),
    ]);
  }

  /** Every request that wrote a status. */
  get writes(): number {
    return this.#api.requestsTo('PUT', '/status').length;
  }

  get told(): Readonly<Record<string, unknown>>[] {
    return this.log.withMessage('the status of a route could not be written').map(({ fields }) => fields);
  }

  /** What `status.parents` of a route is, as soon as the check of it passes; the clock goes on meanwhile. */
  becomes(
    check: (parents: unknown) => void,
    key = 'shop/r',
    resource: Resource = policyHttpRoutes,
  ): Promise<void> {
    return this.passing(() => {
      const { status } = this.#api.objects.get(pathOf(resource), key) as Route;
      check((status as { readonly parents?: unknown } | undefined)?.parents);
    });
  }

  /** Waits with a clock that goes on. */
  passing(check: () => void | Promise<void>): Promise<void> {
    return eventually(async () => {
      await this.clock.advance(200);
      await check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#running;
    this.#connection[Symbol.dispose]();
  }
}
