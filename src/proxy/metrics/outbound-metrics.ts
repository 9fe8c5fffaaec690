import { errorCode } from '../../runtime/errors.ts';
import type { Counter, Metrics } from '../../runtime/metrics.ts';
import type { SocketAddress } from '../../runtime/socket-address.ts';
import type { Endpoint } from '../outbound/endpoint.ts';
import type { ObservedOutbound, OutboundObserver } from '../outbound/observer.ts';
import type { Copy, CopyEnd } from '../transport/engine.ts';
import { carry, close, targetLabels } from './connection-metrics.ts';
import type { OpenTransport, TransportLabels, TransportMetrics } from './transport-metrics.ts';

/** Counts connections that leave this pod, by contract 8.3. */
export function outboundMetrics(metrics: Metrics, transport: TransportMetrics): OutboundObserver {
  const errors = metrics.counter(
    'outbound_tcp_errors_total',
    'Outbound connections refused, by the reason.',
    ['error'],
  );
  const failures = metrics.counter(
    'kedge_proxy_outbound_endpoint_failures_total',
    'Endpoints that did not take a connection, by the reason; another endpoint may have taken it.',
    ['error'],
  );
  return {
    accepted: (target) => new OutboundConnection(transport, errors, target),
    endpointFailed: (_, cause) => failures.inc({ error: errorLabel(cause) }),
  };
}

class OutboundConnection implements ObservedOutbound {
  readonly #transport: TransportMetrics;
  readonly #errors: Counter<'error'>;
  readonly #source: OpenTransport;
  #destination: OpenTransport | undefined;

  constructor(transport: TransportMetrics, errors: Counter<'error'>, target: SocketAddress | undefined) {
    this.#transport = transport;
    this.#errors = errors;
    const labels = { direction: 'outbound', peer: 'src', tls: 'no_identity', no_tls_reason: 'loopback' };
    this.#source = transport.opened({ ...labels, ...targetLabels(target) });
  }

  connected(endpoint: Endpoint, copy: Copy): void {
    this.#destination = this.#transport.opened({
      direction: 'outbound',
      peer: 'dst',
      ...targetLabels(endpoint),
      ...securityLabels(endpoint),
      ...discoveryLabels(endpoint),
    });
    carry(copy, this.#source, this.#destination);
  }

  closed(end: CopyEnd): void {
    close(end, this.#source, this.#destination);
  }

  refused(cause: unknown): void {
    this.#errors.inc({ error: errorLabel(cause) });
    this.#source.closed('');
  }
}

function errorLabel(cause: unknown): string {
  return errorCode(cause) ?? 'unexpected';
}

function securityLabels({ security }: Endpoint): TransportLabels {
  return security.kind === 'mesh'
    ? { tls: 'true', server_id: security.identity }
    : { tls: 'no_identity', no_tls_reason: security.kind === 'plain' ? security.reason : '' };
}

/** What discovery says of an endpoint, as far as there is a label for it. */
function discoveryLabels({ labels }: Endpoint): TransportLabels {
  const { zone_locality: locality, ...others } = labels;
  const given = Object.entries(others).map(([name, value]) => [`dst_${name}`, value] as const);
  return { ...Object.fromEntries(given), zone_locality: locality ?? '' };
}
