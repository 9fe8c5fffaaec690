/** Who a process of this benchmark is and whom it trusts, as text, to be sent to it. */
export interface Material {
  readonly chain: string;
  readonly key: string;
  readonly anchors: string;
}

/** To a server. */
export type ServerOrder =
  | { readonly kind: 'serve'; readonly material: Material }
  /** The weight of all endpoints from now on. */
  | { readonly kind: 'change'; readonly weight: number }
  | { readonly kind: 'usage' };

/** From a server, one answer to each order. */
export type ServerAnswer =
  | { readonly kind: 'serving'; readonly port: number }
  /** When the order had come, before anything was done about it. */
  | { readonly kind: 'changed'; readonly atMs: number }
  | { readonly kind: 'usage'; readonly processorMs: number; readonly residentBytes: number };

/** To the subscribers. */
export type SubscriberOrder =
  | {
      readonly kind: 'connect';
      readonly port: number;
      readonly connections: number;
      /** On each connection. */
      readonly streams: number;
      readonly material: Material;
    }
  /** Asks for the next round of messages, one on each stream, to be waited for. */
  | { readonly kind: 'await' };

/** From the subscribers. */
export type SubscriberAnswer =
  /** Every stream has had its first message. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'awaiting' }
  /** Every stream has had the next message, all of them the same bytes. */
  | { readonly kind: 'delivered'; readonly lastAtMs: number; readonly message: string };

/** Milliseconds on a clock that all processes of a machine share, and that nobody sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Carries out each order of the process that started this one and answers it; ends when that one has gone. */
export function obey(
  carryOut: (order: unknown, arrivedAtMs: number) => Promise<ServerAnswer | SubscriberAnswer>,
): void {
  process.on('message', (order) => {
    const arrivedAtMs = monotonicMs();
    void carryOut(order, arrivedAtMs).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit());
}
