import type { Counter, Metrics } from '../../runtime/metrics.ts';
import { inboundErrorLabel } from '../inbound/errors.ts';
import type {
  Access,
  Decision,
  InboundObserver,
  InboundTls,
  ObservedInbound,
} from '../inbound/inbound-observer.ts';
import type { Copy, CopyEnd } from '../transport/engine.ts';
import type { TransportHeader } from '../transport/transport-header.ts';
import { BoundedCounter } from './bounded-counter.ts';
import { carry, close, targetLabels } from './connection-metrics.ts';
import type { OpenTransport, TransportLabels, TransportMetrics } from './transport-metrics.ts';

const authorizationLabels = [
  'target_addr',
  'target_ip',
  'target_port',
  'srv_group',
  'srv_kind',
  'srv_name',
  'srv_port',
  'authz_group',
  'authz_kind',
  'authz_name',
  'tls',
  'client_id',
  'no_tls_reason',
] as const;

type DecisionCounter = BoundedCounter<(typeof authorizationLabels)[number]>;

interface InboundCounters {
  readonly allow: DecisionCounter;
  readonly deny: DecisionCounter;
  readonly terminate: DecisionCounter;
  readonly errors: Counter<'error'>;
  readonly headers: BoundedCounter<'session_protocol' | 'target_port' | 'target_name' | 'client_id'>;
}

/** Counts connections that reach this pod, by contract 8.3. */
export function inboundMetrics(metrics: Metrics, transport: TransportMetrics): InboundObserver {
  const decisions = (name: string, help: string): DecisionCounter =>
    new BoundedCounter(metrics.counter(`inbound_tcp_authz_${name}_total`, help, authorizationLabels));
  const counters: InboundCounters = {
    allow: decisions('allow', 'Inbound connections that policy let in.'),
    deny: decisions('deny', 'Inbound connections that policy did not let in.'),
    terminate: decisions('terminate', 'Inbound connections cut because policy no longer lets them in.'),
    errors: metrics.counter('inbound_tcp_errors_total', 'Inbound connections refused, by the reason.', [
      'error',
    ]),
    headers: new BoundedCounter(
      metrics.counter(
        'inbound_tcp_transport_header_connections_total',
        'Direct connections, by what their transport header says.',
        ['session_protocol', 'target_port', 'target_name', 'client_id'],
      ),
    ),
  };
  return { accepted: () => new InboundConnection(transport, counters) };
}

class InboundConnection implements ObservedInbound {
  readonly #transport: TransportMetrics;
  readonly #counters: InboundCounters;
  #access: Access | undefined;
  #source: OpenTransport | undefined;
  #destination: OpenTransport | undefined;

  constructor(transport: TransportMetrics, counters: InboundCounters) {
    this.#transport = transport;
    this.#counters = counters;
  }

  header({ port, name, sessionProtocol }: TransportHeader, clientId: string): void {
    this.#counters.headers.inc({
      session_protocol: sessionProtocol ?? '',
      target_port: port,
      target_name: name ?? '',
      client_id: clientId,
    });
  }

  decided(decision: Decision, access: Access): void {
    const { target, authorization, tls } = access;
    this.#counters[decision].inc({
      ...targetLabels(target),
      ...serverLabels(access),
      authz_group: authorization?.group ?? '',
      authz_kind: authorization?.kind ?? '',
      authz_name: authorization?.name ?? '',
      tls: tls.tls,
      client_id: (tls.tls === 'true' && tls.clientId) || '',
      no_tls_reason: tls.tls === 'no_identity' ? tls.reason : '',
    });
    this.#access ??= access;
    this.#source ??= this.#transport.opened({
      direction: 'inbound',
      peer: 'src',
      ...targetLabels(target),
      ...serverLabels(access),
      ...tlsLabels(tls),
    });
  }

  connected(copy: Copy): void {
    if (this.#access === undefined || this.#source === undefined) return;
    this.#destination = this.#transport.opened({
      direction: 'inbound',
      peer: 'dst',
      ...targetLabels(this.#access.target),
      ...serverLabels(this.#access),
      tls: 'no_identity',
      no_tls_reason: 'loopback',
    });
    carry(copy, this.#source, this.#destination);
  }

  closed(end: CopyEnd): void {
    if (this.#source !== undefined) close(end, this.#source, this.#destination);
  }

  refused(cause: unknown): void {
    this.#counters.errors.inc({ error: inboundErrorLabel(cause) });
    this.#source?.closed('');
  }
}

function serverLabels({ server, target }: Access) {
  return {
    srv_group: server.group,
    srv_kind: server.kind,
    srv_name: server.name,
    srv_port: `${target.port}`,
  };
}

function tlsLabels(tls: InboundTls): TransportLabels {
  switch (tls.tls) {
    case 'true':
      return { tls: 'true', client_id: tls.clientId ?? '' };
    case 'opaque':
      return { tls: 'opaque', sni: tls.sni };
    case 'no_identity':
      return { tls: 'no_identity', no_tls_reason: tls.reason };
  }
}
