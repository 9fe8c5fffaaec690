import type { Call } from './call.ts';
import type { Channel } from './channel.ts';
import { TrustBundleServiceDefinition } from './gen/kedge/trust/v1/trust.ts';
import type {
  WatchRequest as TrustReport,
  WatchResponse as PublishedBundle,
} from './gen/kedge/trust/v1/trust.ts';
import { method } from './method.ts';
import { bidiStreamMethod } from './service.ts';
import type { Service } from './service.ts';
import type { StreamWriter } from './stream-writer.ts';

/** `TrustReport` is what a workload says of the bundle it uses; `PublishedBundle` is what it is told to use. */
export type { PublishedBundle, TrustReport };

const watch = method(TrustBundleServiceDefinition, TrustBundleServiceDefinition.methods.watch);

export interface TrustHandler {
  /** Sends the present bundle at once and after each change, and reads reports, until `out.signal` is aborted. */
  watch(reports: AsyncIterable<TrustReport>, call: Call, out: StreamWriter<PublishedBundle>): Promise<void>;
}

export function trustService(handler: TrustHandler): Service {
  return {
    name: TrustBundleServiceDefinition.fullName,
    methods: [bidiStreamMethod(watch, (reports, call, out) => handler.watch(reports, call, out))],
  };
}

export interface TrustClient {
  /** Sends each report as it comes; the stream lasts until the signal is aborted or the server ends it. */
  watch(reports: AsyncIterable<TrustReport>, signal: AbortSignal): AsyncIterable<PublishedBundle>;
}

export function trustApiClient(channel: Channel): TrustClient {
  return { watch: (reports, signal) => channel.bidiStream(watch, reports, signal) };
}
