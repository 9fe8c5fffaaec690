import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

import type { Credentials } from '../../../src/pki/credentials.ts';
import { InboundListeners } from '../../../src/proxy/inbound/inbound-listeners.ts';
import type { InboundListenersOptions } from '../../../src/proxy/inbound/inbound-listeners.ts';
import type {
  Access,
  Decision,
  InboundObserver,
  ObservedInbound,
} from '../../../src/proxy/inbound/inbound-observer.ts';
import { inboundErrorLabel } from '../../../src/proxy/inbound/errors.ts';
import { readPolicy } from '../../../src/proxy/inbound/read-policy.ts';
import type { ServerPolicy } from '../../../src/proxy/inbound/server-policy.ts';
import { dialledDestination } from '../../../src/proxy/original-destination.ts';
import type { CopyEnd } from '../../../src/proxy/transport/engine.ts';
import { transportProtocol } from '../../../src/proxy/transport/transport-header.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { anyPort, api, Bench } from '../transport/bench.ts';
import { apiLeaf, foreignClient, own, webLeaf } from '../transport/mesh.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { answer } from './answers.ts';

/** Where peers come from: 127.0.0.1 itself passes every policy (contract 5.2). */
const peerAddress = '127.0.0.2';

export interface PodOptions extends Partial<Pick<InboundListenersOptions, 'addresses' | 'idleTimeoutMs'>> {
  /** None before the first certificate. */
  readonly credentials?: Credentials | undefined;
  /** How many may be open at once; any number, unless given. */
  readonly connections?: number;
}

/** A pod with an application behind an inbound proxy, its policy in the test's hands. */
export class Pod extends Bench {
  readonly policy = new LatestValue<ServerPolicy>(readPolicy(answer([])));
  readonly credentials: LatestValue<Credentials | undefined>;
  readonly inbound: InboundListeners;
  readonly observed = new Observed();
  /** Connections that reached the application, which keeps them and says nothing. */
  readonly reached: Socket[] = [];
  app: SocketAddress = anyPort;
  /** The inbound port, and a listener that stands for the application's port. */
  direct: SocketAddress = anyPort;
  forward: SocketAddress = anyPort;

  private constructor(options: PodOptions) {
    super();
    const engine = this.engine('credentials' in options ? options.credentials : apiLeaf.credentials());
    this.credentials = engine.credentials;
    this.inbound = new InboundListeners({
      engine,
      credentials: engine.credentials,
      policies: { lease: () => ({ policy: this.policy, release: () => undefined }) },
      serverName: api.dnsName,
      observer: this.observed,
      addresses: options.addresses ?? [],
      detectTimeoutMs: 10_000,
      connectTimeoutMs: 300,
      idleTimeoutMs: options.idleTimeoutMs,
      acceptSocket: {},
      capacity: this.capacity(options.connections),
      connectSocket: {},
      log: this.log,
      clock: this.clock,
    });
  }

  static async start(options: PodOptions = {}): Promise<Pod> {
    const pod = new Pod(options);
    pod.app = await pod.serve((socket) => pod.reached.push(socket));
    pod.direct = await pod.inbound.listen(anyPort, dialledDestination);
    pod.forward = await pod.inbound.forward(anyPort, pod.app);
    return pod;
  }

  allow(...rules: Parameters<typeof answer>): void {
    this.policy.set(readPolicy(answer(...rules)));
  }

  /** A client without TLS. */
  plain(to = this.forward): Promise<Socket> {
    return this.connect(to, peerAddress);
  }

  /** A mesh client with this leaf, or one without any. */
  meshed(leaf: TestLeaf | 'none' = webLeaf, options: ConnectionOptions = {}, to = this.forward): TLSSocket {
    const local = { localAddress: peerAddress };
    return foreignClient(this, to, { ...(leaf !== 'none' && own(leaf)), ...local, ...options });
  }

  /** A mesh client on the inbound port, with the ALPN that belongs there. */
  directly(leaf: TestLeaf | 'none' = webLeaf, options: ConnectionOptions = {}): TLSSocket {
    return this.meshed(leaf, { ALPNProtocols: [transportProtocol], ...options }, this.direct);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.inbound.close(AbortSignal.abort());
    await super[Symbol.asyncDispose]();
  }
}

/** What the proxy tells its metrics, in order, all connections together. */
export class Observed implements InboundObserver {
  readonly decisions: [Decision, Access][] = [];
  readonly refusals: string[] = [];
  readonly headers: object[] = [];
  readonly ends: CopyEnd[] = [];

  accepted(): ObservedInbound {
    return {
      header: (header, clientId) => this.headers.push({ ...header, clientId }),
      decided: (decision, access) => this.decisions.push([decision, access]),
      connected: () => undefined,
      closed: (end) => this.ends.push(end),
      refused: (cause) => this.refusals.push(inboundErrorLabel(cause)),
    };
  }
}
