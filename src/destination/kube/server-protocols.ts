import type { Latest } from '../../runtime/latest.ts';
import type { PortProtocol } from '../workload.ts';
import type { ExternalWorkload } from './external-workload.ts';
import type { Pod } from './pod.ts';

/** What the Servers that select a workload say of its ports. The proxy there acts on it, so every client must know. */
export interface ServerProtocols {
  /** Whether every Server has been seen once. */
  readonly synced: Latest<boolean>;
  /** `undefined` where no Server is about that port. */
  protocolOf(workload: Pod | ExternalWorkload, port: number): PortProtocol | undefined;
  /** Called with each namespace in whose workloads something may be answered differently now; returns how to stop. */
  subscribe(listener: (namespace: string) => void): () => void;
}
