/** Two proxies that carry TCP over mutual TLS, the outbound one on processor core 0 and the inbound one on core 1. */
export interface Pair {
  readonly name: string;
  /** Where the client connects to the outbound proxy. */
  readonly port: number;
  /** Where the inbound proxy expects the server. */
  readonly applicationPort: number;
  readonly processIds: readonly number[];
  /** What the proxies said last, for whoever has to find out why one failed. */
  lastWords(): string;
  /** Throws with the end of its log when one of them has ended. */
  checkRunning(): void;
}
