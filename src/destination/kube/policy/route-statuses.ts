import type { Collection } from '../../../kube/collection.ts';
import { kubeErrors } from '../../../kube/errors.ts';
import type { KubeClient } from '../../../kube/kube-client.ts';
import type { KubeObject } from '../../../kube/kube-object.ts';
import type { Resource } from '../../../kube/resource.ts';
import { gatewayGrpcRoutes, gatewayHttpRoutes, policyHttpRoutes } from '../../../kube/resources.ts';
import { updateWithRetry } from '../../../kube/update-with-retry.ts';
import { Backoff } from '../../../runtime/backoff.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { errorCode, errorMessage, isAppError } from '../../../runtime/errors.ts';
import { LatestValue } from '../../../runtime/latest.ts';
import type { Log } from '../../../runtime/log.ts';
import { RefusalLog } from '../../../runtime/refusal-log.ts';
import type { PolicyCollections } from './policy-objects.ts';
import type { RouteRules, WrongStatus } from './route-rules.ts';
import { withRouteStatus } from './route-status.ts';

export interface RouteStatusesNeeds {
  readonly client: Pick<KubeClient, 'read' | 'replace'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a status is left to others first, so that a new route has Linkerd's word before ours is asked for. */
const leftToOthersMs = 1_000;
/** Between any two writes: ten a second of each kind. */
const gapMs = 100;
const retryPolicy = { minMs: 250, maxMs: 30_000, jitter: 1 };

/** Keeps the status of every kind of route right until the signal is aborted. */
export async function keepRouteStatuses(
  routes: Pick<PolicyCollections, 'routes' | 'gatewayHttpRoutes' | 'gatewayGrpcRoutes'>,
  needs: RouteStatusesNeeds,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    new RouteStatuses(policyHttpRoutes, routes.routes, needs).run(signal),
    new RouteStatuses(gatewayHttpRoutes, routes.gatewayHttpRoutes, needs).run(signal),
    new RouteStatuses(gatewayGrpcRoutes, routes.gatewayGrpcRoutes, needs).run(signal),
  ]);
}

/**
 * Writes the status of the routes of one kind, one at a time. Several replicas may do this at once, for they all want the
 * same. What cannot be written is told, and tried again: less and less often, all of them where it is the API server that
 * takes none, and where it refuses a route for what that is, this one alone.
 */
class RouteStatuses {
  readonly #resource: Resource;
  readonly #routes: Collection<RouteRules>;
  readonly #needs: RouteStatusesNeeds;
  readonly #backoff = new Backoff(retryPolicy);
  readonly #refusals: RefusalLog;
  /** The keys of routes whose status was not right, the longest waiting first, and how many they are. */
  readonly #waiting = new Set<string>();
  readonly #count = new LatestValue(0);
  /** Of routes that were refused for what they are, and which of these are not to be tried yet. */
  readonly #backoffs = new Map<string, Backoff>();
  readonly #resting = new Set<string>();

  constructor(resource: Resource, routes: Collection<RouteRules>, needs: RouteStatusesNeeds) {
    this.#resource = resource;
    this.#routes = routes;
    this.#needs = needs;
    this.#refusals = new RefusalLog(needs.log, needs.clock, 'the status of a route could not be written');
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#routes.subscribe((changes) => this.#ask(changes.map(({ key }) => key)));
    this.#ask([...this.#routes.entries()].map(([key]) => key));
    try {
      for (;;) {
        await this.#count.until((count) => count > 0, signal);
        await this.#needs.clock.sleep(leftToOthersMs, signal);
        for (const key of [...this.#waiting]) await this.#mend(key, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stop();
    }
  }

  #ask(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#wrong(key) !== undefined && !this.#resting.has(key)) this.#waiting.add(key);
    }
    this.#count.set(this.#waiting.size);
  }

  #wrong(key: string): WrongStatus | undefined {
    return this.#routes.get(key)?.wrong;
  }

  async #mend(key: string, signal: AbortSignal): Promise<void> {
    this.#waiting.delete(key);
    this.#count.set(this.#waiting.size);
    const wrong = this.#wrong(key);
    if (wrong === undefined) return;
    const { clock } = this.#needs;
    try {
      await this.#write(key, wrong.version, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isOfOneRoute(error)) {
        const askedMs = (isAppError(error) && error.retryAfterMs) || 0;
        await clock.sleep(Math.max(this.#backoff.next(), askedMs), signal);
        this.#failed(key, error);
        return;
      }
      void this.#rest(key, error, signal).catch(() => undefined);
      await clock.sleep(gapMs, signal);
      return;
    }
    this.#backoff.reset();
    this.#backoffs.delete(key);
    await clock.sleep(gapMs, signal);
  }

  /** Rejects when the signal is aborted. */
  async #rest(key: string, error: unknown, signal: AbortSignal): Promise<void> {
    const backoff = this.#backoffs.get(key) ?? new Backoff(retryPolicy);
    this.#backoffs.set(key, backoff);
    this.#resting.add(key);
    await this.#needs.clock.sleep(backoff.next(), signal);
    this.#resting.delete(key);
    if (this.#wrong(key) === undefined) this.#backoffs.delete(key);
    else this.#failed(key, error);
  }

  async #write(key: string, version: string, signal: AbortSignal): Promise<void> {
    const [namespace = '', name = ''] = key.split('/');
    const resource = { ...this.#resource, version };
    const place = { namespace, name, subresource: 'status' };
    const change = (route: KubeObject) => withRouteStatus(route, resource.group, this.#needs.clock.now());
    const kept = await updateWithRetry({ ...this.#needs, signal }, resource, place, change);
    if (change(kept) === undefined) return;
    const message = `update ${resource.plural}/status: expected the conditions to be kept as they are written, got others`;
    throw kubeErrors.error('kube_invalid', message);
  }

  /** A route that is gone meanwhile, or was mended by another replica, is nobody's concern. */
  #failed(key: string, error: unknown): void {
    if (this.#wrong(key) === undefined) return;
    this.#ask([key]);
    const { group, plural } = this.#resource;
    const fields = { resource: `${plural}.${group}`, route: key, reason: errorMessage(error) };
    this.#refusals.tell({ code: errorCode(error), ...fields });
  }
}

/** Such as a webhook that forbids to write it; whoever has no right at all is told so in other words. */
function isOfOneRoute(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'kube_forbidden')
    return /admission webhook|ValidatingAdmissionPolicy/.test(errorMessage(error));
  return code === 'kube_invalid' || code === 'kube_conflict' || code === 'kube_not_found';
}
