import { AccessKeeper } from '../../../src/kube/access.ts';
import type { LoadCredentials } from '../../../src/kube/access.ts';
import { HttpKubeClient } from '../../../src/kube/http-kube-client.ts';
import { KubeHttp } from '../../../src/kube/kube-http.ts';
import { kubeMetrics } from '../../../src/kube/kube-metrics.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';

export interface KubeConnectionOptions {
  readonly load: LoadCredentials;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
}

/** A client of given credentials, whose idle connections end with it. */
export class TestConnection extends HttpKubeClient implements Disposable {
  readonly #access: AccessKeeper;

  private constructor(access: AccessKeeper, http: KubeHttp) {
    super(http, 'kedge-test');
    this.#access = access;
  }

  static to({ load, clock = systemClock, metrics = new Metrics() }: KubeConnectionOptions): TestConnection {
    const access = new AccessKeeper(load, clock);
    const http = new KubeHttp({ access, userAgent: 'kedge-test', clock, metrics: kubeMetrics(metrics) });
    return new TestConnection(access, http);
  }

  [Symbol.dispose](): void {
    this.#access.close();
  }
}

/** Credentials that stay the same. */
export function fixedCredentials(server: URL, token = 'a-token'): LoadCredentials {
  return async () => ({ server, headers: { authorization: `Bearer ${token}` }, tls: {} });
}
