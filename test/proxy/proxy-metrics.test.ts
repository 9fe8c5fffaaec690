import type { Access } from '../../src/proxy/inbound/inbound-observer.ts';
import { inboundErrors } from '../../src/proxy/inbound/errors.ts';
import type { Endpoint } from '../../src/proxy/outbound/endpoint.ts';
import { outboundErrors } from '../../src/proxy/outbound/errors.ts';
import { ProxyMetrics } from '../../src/proxy/proxy-metrics.ts';
import { proxyErrors } from '../../src/proxy/errors.ts';
import type { Copy, CopyEnd } from '../../src/proxy/transport/engine.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { ManualClock } from '../support/manual-clock.ts';

const api = { host: 'api.shop.svc.cluster.local', port: 7000 };
const endpoint: Endpoint = {
  key: '10.0.0.1:80',
  host: '10.0.0.1',
  port: 80,
  security: { kind: 'mesh', identity: 'api.id', serverName: 'api.id', port: 80, header: undefined },
  labels: { service: 'api', namespace: 'shop', zone_locality: 'local', colour: 'blue' },
};
const access: Access = {
  target: { host: '10.0.0.9', port: 7000 },
  tls: { tls: 'true', clientId: 'web.id' },
  server: { group: 'policy.linkerd.io', kind: 'server', name: 'api' },
  authorization: { group: 'policy.linkerd.io', kind: 'serverauthorization', name: 'only-web' },
};

interface Counts extends Copy {
  fromClient: number;
  fromServer: number;
}

const copying = (fromClient: number, fromServer: number): Counts => ({
  fromClient,
  fromServer,
  done: Promise.resolve<CopyEnd>({ reason: 'ended' }),
  stop: () => undefined,
});

function counting() {
  const metrics = new Metrics();
  const clock = new ManualClock();
  const proxy = new ProxyMetrics(metrics, clock);
  /** The samples of one metric, empty labels left out, as `{label="value",...} number`. */
  const shown = async (name: string): Promise<string[]> =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) =>
        line
          .slice(name.length)
          .replaceAll(/\w+="",?/g, '')
          .replace(',}', '}'),
      );
  return { clock, proxy, shown };
}

const source =
  'direction="outbound",peer="src",target_addr="api.shop.svc.cluster.local:7000",target_port="7000",tls="no_identity",no_tls_reason="loopback"';
const destination =
  'direction="outbound",peer="dst",target_addr="10.0.0.1:80",target_ip="10.0.0.1",target_port="80",tls="true",server_id="api.id",dst_namespace="shop",dst_service="api",zone_locality="local"';

describe('outbound metrics', () => {
  it('count both sides of a connection under the labels of the contract', async () => {
    const { proxy, shown } = counting();
    proxy.outbound.accepted(api).connected(endpoint, copying(0, 0));
    expect(await shown('tcp_open_total')).toEqual([`{${source}} 1`, `{${destination}} 1`]);
    expect(await shown('tcp_open_connections')).toEqual([`{${source}} 1`, `{${destination}} 1`]);
  });

  it('count bytes from where each side stands, while the connection lives and after it', async () => {
    const { proxy, shown } = counting();
    const copy = copying(5, 0);
    const connection = proxy.outbound.accepted(api);
    connection.connected(endpoint, copy);
    expect(await shown('tcp_read_bytes_total')).toEqual([`{${source}} 5`, `{${destination}} 0`]);
    copy.fromServer = 7;
    expect(await shown('tcp_write_bytes_total')).toEqual([`{${source}} 7`, `{${destination}} 5`]);
    connection.closed({ reason: 'ended' });
    connection.closed({ reason: 'ended' });
    expect(await shown('tcp_read_bytes_total')).toEqual([`{${source}} 5`, `{${destination}} 7`]);
    proxy.outbound.accepted(api).connected(endpoint, copying(1, 1));
    expect(await shown('tcp_read_bytes_total')).toEqual([`{${source}} 6`, `{${destination}} 8`]);
    expect(await shown('tcp_open_total')).toEqual([`{${source}} 2`, `{${destination}} 2`]);
    expect(await shown('tcp_open_connections')).toEqual([`{${source}} 1`, `{${destination}} 1`]);
  });

  it('say on which side a connection was cut', async () => {
    const { proxy, shown } = counting();
    const connection = proxy.outbound.accepted(api);
    connection.connected(endpoint, copying(0, 0));
    connection.closed({ reason: 'failed', failed: { side: 'server', errno: 'ECONNRESET' } });
    expect(await shown('tcp_close_total')).toEqual([
      `{${source}} 1`,
      `{${destination},errno="ECONNRESET"} 1`,
    ]);
  });

  it('count refusals by their code, and endpoints that failed apart from them', async () => {
    const { proxy, shown } = counting();
    const connection = proxy.outbound.accepted(undefined);
    proxy.outbound.endpointFailed(endpoint, proxyErrors.error('mesh_wrong_identity', 'another'));
    connection.refused(outboundErrors.error('outbound_no_endpoints', 'none'));
    proxy.outbound.accepted(api).refused(new Error('a bug'));
    expect(await shown('outbound_tcp_errors_total')).toEqual([
      '{error="outbound_no_endpoints"} 1',
      '{error="unexpected"} 1',
    ]);
    expect(await shown('kedge_proxy_outbound_endpoint_failures_total')).toEqual([
      '{error="mesh_wrong_identity"} 1',
    ]);
    expect((await shown('tcp_open_connections')).map((line) => line.at(-1))).toEqual(['0', '0']);
  });

  it('name plaintext to an endpoint, and why', async () => {
    const { proxy, shown } = counting();
    const security = { kind: 'plain', reason: 'not_provided_by_service_discovery' } as const;
    proxy.outbound.accepted(api).connected({ ...endpoint, security }, copying(0, 0));
    expect((await shown('tcp_open_total'))[1]).toContain(
      'tls="no_identity",no_tls_reason="not_provided_by_service_discovery"',
    );
  });
});

describe('inbound metrics', () => {
  const server = 'srv_group="policy.linkerd.io",srv_kind="server",srv_name="api",srv_port="7000"';
  const target = 'target_addr="10.0.0.9:7000",target_ip="10.0.0.9",target_port="7000"';

  it('count both sides of a connection and the decision of policy', async () => {
    const { proxy, shown } = counting();
    const connection = proxy.inbound.accepted();
    connection.decided('allow', access);
    connection.connected(copying(3, 4));
    expect(await shown('tcp_read_bytes_total')).toEqual([
      `{direction="inbound",peer="src",${target},tls="true",client_id="web.id",${server}} 3`,
      `{direction="inbound",peer="dst",${target},tls="no_identity",no_tls_reason="loopback",${server}} 4`,
    ]);
    expect(await shown('inbound_tcp_authz_allow_total')).toEqual([
      `{${target},${server},authz_group="policy.linkerd.io",authz_kind="serverauthorization",authz_name="only-web",tls="true",client_id="web.id"} 1`,
    ]);
  });

  it('count a connection that is denied, and one that is cut later', async () => {
    const { proxy, shown } = counting();
    const denied = proxy.inbound.accepted();
    denied.decided('deny', { ...access, authorization: undefined });
    denied.refused(inboundErrors.error('inbound_denied', 'no'));
    const cut = proxy.inbound.accepted();
    cut.decided('allow', access);
    cut.connected(copying(0, 0));
    cut.decided('terminate', access);
    cut.closed({ reason: 'stopped' });
    expect(await shown('inbound_tcp_authz_deny_total')).toHaveLength(1);
    expect(await shown('inbound_tcp_authz_terminate_total')).toHaveLength(1);
    expect(await shown('inbound_tcp_errors_total')).toEqual(['{error="inbound_denied"} 1']);
    expect((await shown('tcp_open_connections')).map((line) => line.at(-1))).toEqual(['0', '0']);
  });

  it.each<[string, Access['tls'], string]>([
    ['foreign TLS', { tls: 'opaque', sni: 'example.com' }, 'tls="opaque",sni="example.com"'],
    [
      'plaintext',
      { tls: 'no_identity', reason: 'no_tls_from_remote' },
      'tls="no_identity",no_tls_reason="no_tls_from_remote"',
    ],
    [
      'a skipped port',
      { tls: 'no_identity', reason: 'port_skipped' },
      'tls="no_identity",no_tls_reason="port_skipped"',
    ],
    ['mesh TLS of nobody', { tls: 'true', clientId: undefined }, 'tls="true",srv_group'],
  ])('name %s', async (_, tls, labels) => {
    const { proxy, shown } = counting();
    proxy.inbound.accepted().decided('allow', { ...access, tls });
    expect((await shown('tcp_open_total'))[0]).toContain(labels);
  });

  it('count transport headers', async () => {
    const { proxy, shown } = counting();
    proxy.inbound.accepted().header({ port: 7000, sessionProtocol: 'http/2' }, 'web.id');
    expect(await shown('inbound_tcp_transport_header_connections_total')).toEqual([
      '{session_protocol="http/2",target_port="7000",client_id="web.id"} 1',
    ]);
  });

  it('count errors before policy was asked, with the names of the contract', async () => {
    const { proxy, shown } = counting();
    proxy.inbound.accepted().refused(inboundErrors.error('inbound_detect_timeout', 'silent'));
    expect(await shown('inbound_tcp_errors_total')).toEqual(['{error="tls detection timeout"} 1']);
    expect(await shown('tcp_open_total')).toEqual([]);
  });
});

describe('labels that no connection has any more', () => {
  it('are shown for ten minutes', async () => {
    const { clock, proxy, shown } = counting();
    const connection = proxy.outbound.accepted(api);
    await clock.advance(3_600_000);
    connection.closed({ reason: 'ended' });
    expect(await shown('tcp_close_total')).toHaveLength(1);
    await clock.advance(599_999);
    expect(await shown('tcp_open_total')).toHaveLength(1);
    await clock.advance(1);
    expect(await shown('tcp_open_total')).toEqual([]);
    expect(await shown('tcp_close_total')).toEqual([]);
  });

  it('make room sooner when strangers invent too many', async () => {
    const { proxy, shown } = counting();
    for (let i = 0; i < 5000; i += 1) {
      const connection = proxy.inbound.accepted();
      connection.decided('allow', { ...access, tls: { tls: 'opaque', sni: `${i}.example` } });
      connection.closed({ reason: 'ended' });
    }
    expect((await shown('tcp_open_total')).length).toBeLessThan(4097);
  });

  it('make room also when a client of the mesh asks for every port and name', async () => {
    const { proxy, shown } = counting();
    for (let port = 1; port <= 5000; port += 1) {
      const connection = proxy.inbound.accepted();
      connection.header({ port, name: `n${port}.example` }, 'web.id');
      connection.decided('deny', { ...access, target: { host: '10.0.0.9', port }, authorization: undefined });
    }
    for (const name of ['inbound_tcp_transport_header_connections_total', 'inbound_tcp_authz_deny_total']) {
      const series = await shown(name);
      expect(series).toHaveLength(1024);
      expect(series.at(-1)).toContain('target_port="5000"');
    }
  });
});
