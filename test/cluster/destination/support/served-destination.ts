import { admission } from '../../../../src/destination/client-rule.ts';
import { DestinationMetrics } from '../../../../src/destination/destination-metrics.ts';
import { destinationHandlers } from '../../../../src/destination/destination-services.ts';
import { kubeSources } from '../../../../src/destination/kube/kube-sources.ts';
import { readDestinationSettings } from '../../../../src/destination/settings.ts';
import { MeshDomain } from '../../../../src/pki/workload-identity.ts';
import type { Channel } from '../../../../src/rpc/channel.ts';
import type { DestinationProfile } from '../../../../src/rpc/destination-api.ts';
import { destinationClient, destinationService } from '../../../../src/rpc/destination-api.ts';
import { inboundPolicyClient, inboundPolicyService } from '../../../../src/rpc/inbound-policy-api.ts';
import { toTcpAddress } from '../../../../src/rpc/ip-message.ts';
import type { OutboundPolicy, TrafficSpec } from '../../../../src/rpc/outbound-policy-api.ts';
import { outboundPolicyClient, outboundPolicyService } from '../../../../src/rpc/outbound-policy-api.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { IpAddress } from '../../../../src/runtime/ip-address.ts';
import { Metrics } from '../../../../src/runtime/metrics.ts';
import { Readiness } from '../../../../src/runtime/readiness.ts';
import { eventually } from '../../../support/eventually.ts';
import { LogCapture } from '../../../support/log-capture.ts';
import { startServer } from '../../../support/rpc-server.ts';
import type { TestCluster } from '../../test-cluster.ts';
import { HeldStream } from './held-stream.ts';
import { Watcher } from './watcher.ts';

/**
 * Every API of the destination process, out of the objects of a real API server and over real TLS, to a client that
 * holds its streams open.
 */
export class ServedDestination implements AsyncDisposable {
  readonly #channel: Channel;
  readonly #own: AsyncDisposableStack;
  readonly #metrics: Metrics;
  #streams: (Watcher | HeldStream<unknown>)[] = [];

  static async start(cluster: TestCluster): Promise<ServedDestination> {
    const settings = readDestinationSettings({
      KEDGE_DESTINATION_SOURCE: 'kubernetes',
      KEDGE_KUBECONFIG: cluster.kubeconfig,
      KEDGE_TRUST_ANCHORS_FILE: 'none',
      KEDGE_TOKEN_FILE: 'none',
      KEDGE_IDENTITY_ADDR: '127.0.0.1:1',
    });
    const own = new AsyncDisposableStack();
    const [log, metrics, readiness, end] = [
      new LogCapture(),
      new Metrics(),
      new Readiness(),
      new AbortController(),
    ];
    own.defer(() => end.abort(new Error('the test is over')));
    const domain = new MeshDomain(settings.controlNamespace, settings.trustDomain);
    const counted = new DestinationMetrics(metrics);
    const context = { log, clock: systemClock, metrics, readiness, signal: end.signal };
    const sources = await kubeSources({ settings, domain, context, metrics: counted });
    const { clusterDomain, clusterNetworks, clients } = settings;
    const admit = admission(clients, domain);
    const told = { clusterDomain, clusterNetworks, admit, log, metrics: counted };
    const handlers = destinationHandlers({ ...sources, ...told });
    const server = own.use(
      await startServer([
        destinationService(handlers.destination),
        inboundPolicyService(handlers.inboundPolicy),
        outboundPolicyService(handlers.outboundPolicy),
      ]),
    );
    const channel = own.use(server.connect());
    await eventually(() => expect(readiness.report()).toBe('ready\n'));
    return new ServedDestination(channel, own, metrics);
  }

  private constructor(channel: Channel, own: AsyncDisposableStack, metrics: Metrics) {
    this.#channel = channel;
    this.#own = own;
    this.#metrics = metrics;
  }

  get destination() {
    return destinationClient(this.#channel);
  }

  get inboundPolicy() {
    return inboundPolicyClient(this.#channel);
  }

  get outboundPolicy() {
    return outboundPolicyClient(this.#channel);
  }

  /** The endpoints of `service.namespace:port`. */
  endpoints(path: string, contextToken?: string): Watcher {
    return this.#hold(new Watcher(this.#channel, path, contextToken));
  }

  /** What `service.namespace:port` or `address:port` is. */
  profile(path: string, contextToken = ''): HeldStream<DestinationProfile> {
    const full = /^[a-z]/.test(path) ? path.replace(/(?=:\d+$)/, '.svc.cluster.local') : path;
    return this.hold((signal) =>
      this.destination.getProfile({ scheme: '', path: full, contextToken }, signal),
    );
  }

  /** Where connections to `address:port`, or to an authority, go. */
  outbound(path: string): HeldStream<OutboundPolicy> {
    return this.hold((signal) => this.outboundPolicy.watch(trafficTo(path), signal));
  }

  /** Waits until what was made is known here: a pod at its address, or a Service. */
  async known(path: string): Promise<void> {
    const stream = this.profile(path);
    await eventually(() => {
      const { endpoint, parentRef } = stream.last ?? {};
      expect(endpoint?.metricLabels['pod'] ?? parentRef).toBeDefined();
    });
  }

  hold<T>(open: (signal: AbortSignal) => AsyncIterable<T>): HeldStream<T> {
    return this.#hold(new HeldStream(open));
  }

  /** Ends the streams that are open. Throws where one of them had been ended by the server. */
  async leave(): Promise<void> {
    const streams = this.#streams;
    this.#streams = [];
    const broken = streams.flatMap((stream) => stream.broken ?? []);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    // A server that is cut before it knows leaves half a connection behind in the client.
    await eventually(async () =>
      expect(await this.#metrics.text()).not.toMatch(/^kedge_destination_streams.* [1-9]/m),
    );
    expect(broken).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await this.#own.disposeAsync();
  }

  #hold<S extends Watcher | HeldStream<unknown>>(stream: S): S {
    this.#streams.push(stream);
    return stream;
  }
}

/** What a proxy asks of `address:port`, and a tool of an authority. */
export function trafficTo(path: string): TrafficSpec {
  const sourceWorkload = '{"ns":"shop","pod":"web-0"}\n';
  const [host = '', port = ''] = path.split(/:(?=\d+$)/);
  const address = IpAddress.parse(host.replace(/^\[|\]$/g, ''));
  const target =
    address === undefined
      ? ({ $case: 'authority', value: path } as const)
      : ({ $case: 'addr', value: toTcpAddress(address, Number(port)) } as const);
  return { sourceWorkload, target };
}
