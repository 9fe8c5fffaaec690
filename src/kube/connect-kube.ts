import type { Clock } from '../runtime/clock.ts';
import type { ValuesOf } from '../runtime/env.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { AccessKeeper } from './access.ts';
import type { LoadCredentials } from './access.ts';
import { kubeErrors } from './errors.ts';
import { HttpKubeClient } from './http-kube-client.ts';
import { inClusterCredentials } from './in-cluster-credentials.ts';
import { KubeHttp } from './kube-http.ts';
import { kubeMetrics } from './kube-metrics.ts';
import type { kubeSettings } from './settings.ts';

export interface ConnectKubeOptions {
  /** Such as `kedge-identity`: the field manager of what is written, and the name in the API server's audit log. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/**
 * A client for the API server that the settings name. Reads the credentials, and asks nothing yet: an API server that is
 * away is met by each call by itself. Rejects with `kube_config_invalid`.
 */
export async function connectKube(
  settings: ValuesOf<typeof kubeSettings>,
  { name, log, clock, metrics }: ConnectKubeOptions,
): Promise<HttpKubeClient> {
  const access = new AccessKeeper(await credentialsOf(settings, log), clock);
  await access.current();
  const http = new KubeHttp({ access, userAgent: name, clock, metrics: kubeMetrics(metrics) });
  return new HttpKubeClient(http, name);
}

async function credentialsOf(
  { kubeconfig, kubeServiceHost, kubeServicePort }: ValuesOf<typeof kubeSettings>,
  log: Log,
): Promise<LoadCredentials> {
  if (kubeconfig !== undefined) {
    // Loaded only where it is wanted: it costs more memory than all the rest of a process.
    const { kubeconfigCredentials } = await import('./kubeconfig-credentials.ts');
    return kubeconfigCredentials(kubeconfig, log);
  }
  if (kubeServiceHost !== undefined) return inClusterCredentials(kubeServiceHost, kubeServicePort);
  throw kubeErrors.error(
    'kube_config_invalid',
    'expected a kubeconfig in KEDGE_KUBECONFIG, or to run in a pod (KUBERNETES_SERVICE_HOST), got neither',
  );
}
