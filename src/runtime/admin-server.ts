import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

/** What a whole exchange may take. Each connection carries one, so nobody can hold one open. */
const connectionLifetimeMs = 10_000;
const maxHeaderBytes = 8192;

const plainText = 'text/plain; charset=utf-8';

export interface AdminOptions {
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  /** Further pages of a process, each a value that is shown as JSON; looked up at each request. */
  readonly pages?: ReadonlyMap<string, () => unknown>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

type Route = () => Answer | Promise<Answer>;

/**
 * The pages for probes, scrapers and people: `/live`, `/ready`, `/ping`, `/metrics`. The server is not listening:
 * it is given an address, or fed connections by `emit('connection', socket)` where something else accepts them.
 */
export function adminServer(options: AdminOptions): Server {
  const { readiness, metrics, log, clock, pages = new Map<string, () => unknown>() } = options;
  const routes = new Map<string, Route>([
    ['/live', () => ({ status: 200, body: 'live\n' })],
    ['/ping', () => ({ status: 200, body: 'pong\n' })],
    ['/ready', () => ({ status: readiness.ready ? 200 : 503, body: readiness.report() })],
    ['/metrics', async () => ({ status: 200, body: await metrics.text(), type: metrics.contentType })],
  ]);
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (request, response) => {
    answerTo(request, (path) => routes.get(path) ?? asJson(pages.get(path))).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        log.error({ error, path: pathOf(request) }, 'admin page failed');
        send(response, { status: 500, body: 'internal error\n' });
      },
    );
  });
  // The timeouts of an HTTP server are kept only while it listens itself, which this one may never do.
  server.on('connection', (socket) => {
    const lifetime = clock.after(connectionLifetimeMs, () => socket.destroy());
    socket.once('close', () => lifetime.cancel());
  });
  return server;
}

function asJson(page: (() => unknown) | undefined): Route | undefined {
  if (page === undefined) return undefined;
  return () => ({ status: 200, body: `${JSON.stringify(page())}\n`, type: 'application/json' });
}

async function answerTo(
  request: IncomingMessage,
  routeOf: (path: string) => Route | undefined,
): Promise<Answer> {
  const route = routeOf(pathOf(request));
  if (route === undefined) return { status: 404, body: 'not found\n' };
  const readOnly = request.method === 'GET' || request.method === 'HEAD';
  return readOnly ? route() : { status: 405, body: 'expected GET or HEAD\n' };
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split('?', 1)[0] ?? '';
}

function send(response: ServerResponse, { status, body, type = plainText }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  // Node leaves the body out of an answer to HEAD.
  response.end(body);
}
