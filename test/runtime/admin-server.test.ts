import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { adminServer } from '../../src/runtime/admin-server.ts';
import { closeServer, listen } from '../../src/runtime/listen.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Readiness } from '../../src/runtime/readiness.ts';
import type { SocketAddress } from '../../src/runtime/socket-address.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';

const anyPort: SocketAddress = { host: '127.0.0.1', port: 0 };

const startAdmin = async () => {
  const options = {
    readiness: new Readiness(),
    metrics: new Metrics(),
    log: new LogCapture(),
    clock: new ManualClock(),
  };
  const server = adminServer(options);
  const { host, port } = await listen(server, anyPort);
  const ask = async (path: string, method = 'GET') => {
    const asked = request({ host, port, path, method }).end();
    const [response] = (await once(asked, 'response')) as [
      NodeJS.ReadableStream & { statusCode: number; headers: IncomingHttpHeaders },
    ];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  const dial = (): Socket => connect(port, host);
  return {
    ...options,
    server,
    ask,
    dial,
    [Symbol.asyncDispose]: () => closeServer(server, AbortSignal.abort()),
  };
};

describe('the admin server', () => {
  it.each([
    ['/live', 'live\n'],
    ['/ping', 'pong\n'],
    ['/ready', 'ready\n'],
    ['/ready?verbose', 'ready\n'],
  ])('answers %s with %j', async (path, body) => {
    await using admin = await startAdmin();
    expect(await admin.ask(path)).toMatchObject({
      status: 200,
      body,
      headers: { 'content-type': 'text/plain; charset=utf-8', connection: 'close' },
    });
  });

  it('answers /ready with 503 and the closed gates until all are open', async () => {
    await using admin = await startAdmin();
    const gate = admin.readiness.gate('first certificate');
    expect(await admin.ask('/ready')).toMatchObject({
      status: 503,
      body: 'not ready\nwaiting: first certificate: not yet\n',
    });
    expect((await admin.ask('/live')).status).toBe(200);
    gate.open();
    expect((await admin.ask('/ready')).status).toBe(200);
  });

  it('answers /metrics in the Prometheus text format', async () => {
    await using admin = await startAdmin();
    admin.metrics.counter('calls_total', 'Calls.').inc(3);
    const { status, headers, body } = await admin.ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('calls_total 3');
  });

  it('answers HEAD with the headers alone', async () => {
    await using admin = await startAdmin();
    expect(await admin.ask('/live', 'HEAD')).toMatchObject({
      status: 200,
      headers: { 'content-length': '5' },
      body: '',
    });
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses the method %s', async (method) => {
    await using admin = await startAdmin();
    expect(await admin.ask('/ready', method)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
      body: 'expected GET or HEAD\n',
    });
  });

  it.each(['/', '/metrics/', '/env.json', '/../ready', '//live', '*'])('does not know %s', async (path) => {
    await using admin = await startAdmin();
    expect((await admin.ask(path)).status).toBe(404);
  });

  it('answers 500 and logs why when a page fails', async () => {
    await using admin = await startAdmin();
    admin.metrics.gauge('broken', 'Broken.', [], () => {
      throw new Error('no value');
    });
    expect(await admin.ask('/metrics')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(admin.log.records).toEqual([
      {
        level: 'error',
        message: 'admin page failed',
        fields: { path: '/metrics', error: { message: 'no value' } },
      },
    ]);
  });

  it('serves connections that are handed to it without listening itself', async () => {
    const admin = adminServer({
      readiness: new Readiness(),
      metrics: new Metrics(),
      log: new LogCapture(),
      clock: new ManualClock(),
    });
    const front = createServer((socket) => admin.emit('connection', socket));
    const { host, port } = await listen(front, anyPort);
    const socket = connect(port, host);
    socket.write('GET /live HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nlive\n$/);
    await closeServer(front, AbortSignal.abort());
  });

  it('cuts a connection that sends its request too slowly', async () => {
    await using admin = await startAdmin();
    const accepted = once(admin.server, 'connection');
    const socket = admin.dial();
    socket.write('GET /live HT');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await accepted;
    await admin.clock.advance(9_999);
    expect(socket.destroyed).toBe(false);
    await admin.clock.advance(1);
    await closed;
  });

  it('leaves no timer behind for a connection that has ended', async () => {
    await using admin = await startAdmin();
    const closed = new Promise<void>((resolve) => {
      admin.server.once('connection', (socket: Socket) => {
        socket.once('close', () => resolve());
      });
    });
    await admin.ask('/live');
    await closed;
    expect(admin.clock.pending).toBe(0);
  });

  it('refuses headers that are too long', async () => {
    await using admin = await startAdmin();
    const socket = admin.dial();
    socket.write(`GET /live HTTP/1.1\r\nhost: x\r\nfiller: ${'x'.repeat(10_000)}\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('refuses what is not HTTP', async () => {
    await using admin = await startAdmin();
    const socket = admin.dial();
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});
