import type { PortProtocol } from '../workload.ts';
import type { Pod } from './pod.ts';

/** What the Servers that select a pod say of its ports. The proxy there acts on it, so every client must know. */
export interface ServerProtocols {
  /** `undefined` where no Server is about that port. */
  protocolOf(pod: Pod, port: number): PortProtocol | undefined;
  /** Called with each namespace in whose pods something may be answered differently now; returns how to stop. */
  subscribe(listener: (namespace: string) => void): () => void;
}
