import type { MeshDomain } from '../pki/workload-identity.ts';
import type { ProcessContext } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { DestinationMetrics } from './destination-metrics.ts';
import type { EndpointSource } from './endpoint-source.ts';
import type { PolicySource } from './policy-source.ts';
import type { DestinationSettings } from './settings.ts';

/** What a process answers from. */
export interface Sources {
  readonly endpoints: EndpointSource;
  readonly policies: PolicySource;
}

export interface SourceNeeds {
  readonly settings: DestinationSettings;
  readonly domain: MeshDomain;
  readonly context: Pick<ProcessContext, 'clock' | 'metrics' | 'readiness' | 'signal'> & {
    readonly log: Log;
  };
  readonly metrics: DestinationMetrics;
}
