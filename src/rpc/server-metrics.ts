import type { Counter, Gauge, Metrics } from '../runtime/metrics.ts';

/** Why a connection was refused before its first call, or cut after it. */
export type RefusalReason =
  | 'no_credentials'
  | 'too_many_connections'
  | 'timeout'
  | 'disconnected'
  | 'tls'
  | 'client_certificate'
  | 'no_longer_trusted';

type CallLabel = 'grpc_service' | 'grpc_method' | 'grpc_type';

/** Shared by all gRPC servers of a process. */
export interface ServerMetrics {
  readonly started: Counter<CallLabel>;
  readonly handled: Counter<CallLabel | 'grpc_code'>;
  readonly refused: Counter<'reason'>;
  readonly connections: Gauge;
}

/** The names and labels of the calls are those of the Go library that Linkerd's control plane uses (contract 1.9). */
export function serverMetrics(metrics: Metrics): ServerMetrics {
  return {
    started: metrics.counter('grpc_server_started_total', 'Calls begun.', [
      'grpc_service',
      'grpc_method',
      'grpc_type',
    ]),
    handled: metrics.counter('grpc_server_handled_total', 'Calls ended, by status.', [
      'grpc_service',
      'grpc_method',
      'grpc_type',
      'grpc_code',
    ]),
    refused: metrics.counter(
      'kedge_grpc_connections_refused_total',
      'Connections to a gRPC server that were refused or cut, by reason.',
      ['reason'],
    ),
    connections: metrics.gauge('kedge_grpc_connections', 'Open connections to the gRPC servers.'),
  };
}
