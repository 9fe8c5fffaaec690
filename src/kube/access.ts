import { Agent as HttpAgent } from 'node:http';
import type { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../runtime/clock.ts';
import { kubeErrors } from './errors.ts';
import { SharedConnection } from './shared-connection.ts';
import type { TlsOptions } from './shared-connection.ts';

/** Where the API server is and what proves who asks, as they are now. */
export interface Credentials {
  /** Scheme, host and port, and a path before those of the API where there is one. */
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
  /** Takes the place of an agent made of `tls`, where the way leads through a proxy. */
  readonly agent?: Agent;
}

/** `anew`: nothing that was kept may be used, for it was refused. */
export type LoadCredentials = (anew: boolean) => Promise<Credentials>;

/** What one request goes with. */
export interface Access extends Connections {
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is kept open to the API server. */
interface Connections {
  readonly agent: Agent;
  /** None where plain HTTP is spoken, or an agent of its own leads through a proxy. */
  readonly shared?: SharedConnection;
}

/** How long a token is used before its file is read again, as the Go client does; it is replaced well before its end. */
const keptMs = 60_000;
/** Less than the 90 seconds after which the API server closes an idle connection. */
const idleMs = 45_000;

/** Keeps the credentials that requests go with, and the connections that were made with them. */
export class AccessKeeper {
  readonly #load: LoadCredentials;
  readonly #clock: Clock;
  #loading: Promise<Access> | undefined;
  #loadedAtMs = 0;
  #credentials: Credentials | undefined;
  #connections: Connections | undefined;
  /** The headers that were refused last. */
  #refused: Access['headers'] | undefined;

  constructor(load: LoadCredentials, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /** Rejects with `kube_config_invalid` where the credentials cannot be read. */
  current(): Promise<Access> {
    const ageMs = Math.abs(this.#clock.now().getTime() - this.#loadedAtMs);
    return this.#loading !== undefined && ageMs < keptMs ? this.#loading : this.#begin(false);
  }

  /** After a refusal of what `refused` went with; reads once, however many were refused with the same. */
  renewed({ headers }: Access): Promise<Access> {
    if (this.#credentials?.headers !== headers || this.#refused === headers) return this.current();
    this.#refused = headers;
    return this.#begin(true);
  }

  /** Ends the connections that are idle. */
  close(): void {
    this.#connections?.agent.destroy();
    this.#connections?.shared?.close();
  }

  #begin(anew: boolean): Promise<Access> {
    this.#loadedAtMs = this.#clock.now().getTime();
    const loading = this.#access(anew);
    this.#loading = loading;
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
    return loading;
  }

  async #access(anew: boolean): Promise<Access> {
    const credentials = await this.#load(anew).catch((error: unknown) => {
      // Those from before may be good for a while yet; a refusal would say that they are not.
      if (anew || this.#credentials === undefined) throw error;
      return this.#credentials;
    });
    checkServer(credentials.server);
    const connections = this.#connectionsFor(credentials);
    this.#credentials = credentials;
    this.#connections = connections;
    return { server: credentials.server, headers: credentials.headers, ...connections };
  }

  /** Connections are kept as long as what they were made with stays the same. */
  #connectionsFor({ agent, server, tls }: Credentials): Connections {
    if (agent !== undefined) return { agent };
    const before = this.#credentials;
    const same = before?.server.href === server.href && isDeepStrictEqual(before.tls, tls);
    if (same && this.#connections !== undefined) return this.#connections;
    const options = { keepAlive: true, keepAliveMsecs: 15_000, timeout: idleMs, maxFreeSockets: 32 };
    if (server.protocol === 'http:') return { agent: new HttpAgent(options) };
    const shared = new SharedConnection(server, tls, this.#clock);
    return { agent: new HttpsAgent({ ...options, ...tls }), shared };
  }
}

/** Tokens go to nobody without TLS but to this machine. */
function checkServer({ protocol, hostname }: URL): void {
  if (protocol === 'https:') return;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol === 'http:' && loopback) return;
  throw kubeErrors.error(
    'kube_config_invalid',
    `expected the API server at an https URL, or at http on a loopback address, got ${protocol}//${hostname}`,
  );
}
