import { constants, createSecureServer } from 'node:http2';
import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream, Settings } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { configMaps, pods } from '../../src/kube/resources.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { TestCa } from '../support/test-ca.ts';
import { TestConnection } from './support/kube-connection.ts';

const { signal } = new AbortController();
const place = { namespace: 'shop' };
const named = { namespace: 'shop', name: 'a' };
const ca = TestCa.create();
const leaf = ca.leaf({ dnsName: 'localhost' });
const own = { key: leaf.key.export({ type: 'pkcs8', format: 'pem' }), cert: leaf.certificate.pem };
const answer = JSON.stringify({ metadata: { name: 'a' } });

/** An API server that speaks HTTP/2 with whoever wants it, and answers what comes by it when told. */
class Http2Api implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  readonly waiting: ServerHttp2Stream[] = [];
  /** How often a client has asked whether the connection is alive. */
  pings = 0;
  /** Requests by HTTP/1.1, which are answered at once. */
  http1 = 0;
  cancelled = 0;
  readonly #server: Http2SecureServer;
  readonly #sockets: Socket[] = [];

  private constructor(settings: Settings) {
    this.#server = createSecureServer({ ...own, allowHTTP1: true, settings }, (request, response) => {
      if (request.httpVersionMajor === 2) return;
      this.http1 += 1;
      response.end(answer);
    });
    this.#server.on('secureConnection', (socket) => this.#sockets.push(socket));
    this.#server.on('session', (session) => {
      session.on('ping', () => (this.pings += 1));
      this.sessions.push(session);
    });
    this.#server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      stream.once('close', () => (this.cancelled += stream.rstCode === constants.NGHTTP2_CANCEL ? 1 : 0));
      this.waiting.push(stream);
    });
  }

  static async start(settings: Settings = {}): Promise<Http2Api> {
    const api = new Http2Api(settings);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async requests(count: number): Promise<void> {
    await eventually(() => expect(this.waiting).toHaveLength(count));
  }

  /** As when it is killed. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  answerAll(): void {
    for (const stream of this.waiting.splice(0)) {
      stream.respond({ ':status': 201 });
      stream.end(answer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What speaks HTTP/2 as far as its settings, and is silent from then on. */
class MuteServer implements AsyncDisposable {
  readonly #server: TlsServer;
  readonly #sockets: Socket[] = [];

  private constructor(connected: () => void) {
    this.#server = createTlsServer({ ...own, ALPNProtocols: ['h2'] }, (socket) => {
      this.#sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      socket.resume();
      connected();
    });
  }

  static async start(connected: () => void): Promise<MuteServer> {
    const mute = new MuteServer(connected);
    await new Promise<void>((resolve) => mute.#server.listen(0, '127.0.0.1', resolve));
    return mute;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function clientOf(port: number, clock?: ManualClock, trusted = ca): TestConnection {
  const server = new URL(`https://localhost:${port}`);
  const tls = { ca: trusted.certificate.pem };
  return TestConnection.to({
    load: async () => ({ server, headers: { authorization: 'Bearer a-token' }, tls }),
    ...(clock && { clock }),
  });
}

describe('the shared connection', () => {
  it('carries all that is written at once, and nothing that is read', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port);
    const writes = [1, 2, 3].map(() => client.create(configMaps, place, {}, signal));
    await api.requests(3);
    await client.read(pods, named, signal);
    api.answerAll();
    expect(await Promise.all(writes)).toEqual([1, 2, 3].map(() => JSON.parse(answer) as object));
    expect([api.sessions.length, api.http1]).toEqual([1, 1]);
  });

  it('is done without where the API server speaks HTTP/1.1 only', async () => {
    let asked = 0;
    const server = createServer(own, (_, response) => {
      asked += 1;
      response.end(answer);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    using client = clientOf((server.address() as AddressInfo).port);
    await client.create(configMaps, place, {}, signal);
    await client.create(configMaps, place, {}, signal);
    expect(asked).toBe(2);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is made anew where the API server has ended it', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port);
    const broken = refusalOf(client.create(configMaps, place, {}, signal));
    await api.requests(1);
    api.sessions[0]?.destroy();
    expect(await broken).toMatch(/^kube_unreachable: create configmaps: expected an answer /);
    api.waiting.length = 0;
    const next = client.create(configMaps, place, {}, signal);
    await api.requests(1);
    api.answerAll();
    await next;
    expect(api.sessions).toHaveLength(2);
  });

  it('takes the beginning of an answer for none', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port);
    const broken = refusalOf(client.create(configMaps, place, {}, signal));
    await api.requests(1);
    api.waiting[0]?.respond({ ':status': 201 });
    api.waiting[0]?.write(answer.slice(0, 10), () => api.cut());
    expect(await broken).toMatch(/^kube_unreachable: create configmaps: expected an answer /);
  });

  it('carries no more at once than the API server wants, also where it is made anew', async () => {
    await using api = await Http2Api.start({ maxConcurrentStreams: 1 });
    using client = clientOf(api.port);
    const writes = [1, 2, 3, 4].map(() => client.create(configMaps, place, {}, signal));
    await api.requests(1);
    api.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR);
    for (let answered = 0; answered < writes.length; answered += 1) {
      await api.requests(1);
      api.answerAll();
    }
    expect(await Promise.all(writes)).toHaveLength(4);
  });

  it('lets what is under way end where the API server takes no further requests on it', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port);
    const first = client.create(configMaps, place, {}, signal);
    await api.requests(1);
    api.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR);
    // That is told on the same connection as the answer to this.
    const second = client.create(configMaps, place, {}, signal);
    await api.requests(2);
    api.waiting.splice(1).forEach((stream) => stream.respond({ ':status': 500 }, { endStream: true }));
    await refusalOf(second);
    const third = client.create(configMaps, place, {}, signal);
    await api.requests(2);
    api.answerAll();
    expect(await Promise.all([first, third])).toEqual([1, 2].map(() => JSON.parse(answer) as object));
    expect(api.sessions).toHaveLength(2);
  });

  it('carries once more what the API server has not begun with', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port);
    const write = client.create(configMaps, place, {}, signal);
    await api.requests(1);
    api.waiting.pop()?.close(constants.NGHTTP2_REFUSED_STREAM);
    await api.requests(1);
    api.answerAll();
    expect(await write).toEqual(JSON.parse(answer));
  });

  it('goes on while the API server takes its time but says that it is there', async () => {
    await using api = await Http2Api.start();
    const clock = new ManualClock();
    using client = clientOf(api.port, clock);
    const gone = new AbortController();
    const ended = client.create(configMaps, place, {}, gone.signal).catch((error: unknown) => error);
    await api.requests(1);
    for (const pings of [1, 2, 3]) {
      await clock.advance(1_000);
      await eventually(() => expect(api.pings).toBe(pings));
      // What comes after the answer to a ping has come after it.
      const other = client.create(configMaps, place, {}, signal);
      await api.requests(2);
      api.waiting.pop()?.respond({ ':status': 500 }, { endStream: true });
      await refusalOf(other);
    }
    gone.abort(new Error('nobody waits'));
    expect(await ended).toEqual(new Error('nobody waits'));
    await eventually(() => expect(api.cancelled).toBe(1));
    expect(api.sessions).toHaveLength(1);
  });

  it('is left where it is silent, long before the first is tired of waiting', async () => {
    let connections = 0;
    await using server = await MuteServer.start(() => (connections += 1));
    const clock = new ManualClock();
    using client = clientOf(server.port, clock);
    const late = [refusalOf(client.create(configMaps, place, {}, signal))];
    await eventually(() => expect(connections).toBe(1));
    await eventually(() => expect(clock.pending).toBe(2));
    await clock.advance(2_000);
    late.push(refusalOf(client.create(configMaps, place, {}, signal)));
    await eventually(() => expect(connections).toBe(2));
    await clock.advance(10_000);
    for (const refusal of await Promise.all(late)) expect(refusal).toMatch(/^kube_late: /);
  });

  it('is made with nobody who cannot prove to be the API server', async () => {
    await using api = await Http2Api.start();
    using client = clientOf(api.port, undefined, TestCa.create());
    expect(await refusalOf(client.create(configMaps, place, {}, signal))).toMatch(
      /^kube_untrusted: create configmaps: .* got UNABLE_TO_/,
    );
    expect(api.waiting).toHaveLength(0);
  });
});
