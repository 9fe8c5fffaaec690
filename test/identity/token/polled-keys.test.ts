import { createServer, type RequestListener, type Server } from 'node:http';
import { keysAtUrl } from '../../../src/identity/token/jwks-url.ts';
import { PolledKeys } from '../../../src/identity/token/polled-keys.ts';
import { listen } from '../../../src/runtime/listen.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { jwksOf, TokenIssuer } from '../../support/token-issuer.ts';

const first = new TokenIssuer();
const second = new TokenIssuer({ keyId: 'key-2' });

/** An endpoint of token keys whose answer a test can change, and a reader of it. */
class Endpoint implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly log = new LogCapture();
  readonly #server: Server;
  readonly #ended = new AbortController();
  requests = 0;
  answer: RequestListener = json(first.jwks);

  constructor() {
    this.#server = createServer((request, response) => {
      this.requests += 1;
      this.answer(request, response);
    });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  async open(): Promise<PolledKeys> {
    const { port } = await listen(this.#server, { host: '127.0.0.1', port: 0 });
    const url = new URL(`http://127.0.0.1:${port}/keys`);
    const { clock, log } = this;
    return new PolledKeys({ document: keysAtUrl(url, clock), clock, log }, this.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function json(body: string, status = 200, headers: Record<string, string> = {}): RequestListener {
  return (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

const never: RequestListener = () => undefined;

describe('PolledKeys', () => {
  it('has the keys once it has started', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    expect(keys.current.value?.has('key-1')).toBe(true);
    expect(keys.problem.value).toBeUndefined();
  });

  it('fetches anew after five minutes, so a withdrawn key is no longer accepted', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    endpoint.answer = json(second.jwks);
    await endpoint.clock.advance(5 * 60_000);
    await eventually(() => expect(keys.current.value?.has('key-2')).toBe(true));
    expect(keys.current.value?.has('key-1')).toBe(false);
  });

  it.each<[string, RequestListener, string]>([
    ['an error', json('sorry', 503), 'expected status 200 from http://127.0.0.1:'],
    ['a redirect', json('', 302, { location: 'http://127.0.0.1:1/' }), 'got status 302'],
    ['what is no key set', json('{"keys":"none"}'), 'expected a key set with an object with a list "keys"'],
    [
      'more than any key set',
      json(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`),
      'expected at most 262144 bytes',
    ],
    ['a cut connection', (_, response) => response.destroy(), 'expected an answer from http://127.0.0.1:'],
  ])('keeps the keys when the endpoint answers with %s', async (_, answer, message) => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    endpoint.answer = answer;
    await endpoint.clock.advance(5 * 60_000);
    await eventually(() => expect(keys.problem.value).toContain(message));
    expect(keys.current.value?.has('key-1')).toBe(true);
    expect(endpoint.log.withMessage('token keys not loaded, those of before stay in use')).toHaveLength(1);
  });

  it('gives up an answer that does not come, and tries again by itself', async () => {
    await using endpoint = new Endpoint();
    endpoint.answer = never;
    const keys = await endpoint.open();
    const started = keys.start();
    await eventually(() => expect(endpoint.requests).toBe(1));
    await endpoint.clock.advance(5_000);
    await started;
    expect(keys.problem.value).toContain('expected an answer within 5000 ms');
    endpoint.answer = json(first.jwks);
    await endpoint.clock.advance(1_100);
    await eventually(() => expect(keys.current.value?.has('key-1')).toBe(true));
    expect(keys.problem.value).toBeUndefined();
  });

  it('asks once for all who need newer keys at a time', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    await endpoint.clock.advance(10_000);
    endpoint.answer = json(jwksOf(first, second));
    await Promise.all(Array.from({ length: 50 }, () => keys.refresh(endpoint.signal)));
    expect(keys.current.value?.has('key-2')).toBe(true);
    expect(endpoint.requests).toBe(2);
  });

  it('does not ask again within ten seconds, however many unknown keys are named', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    for (let at = 0; at < 100; at++) await keys.refresh(endpoint.signal);
    expect(endpoint.requests).toBe(1);
    await endpoint.clock.advance(9_999);
    await keys.refresh(endpoint.signal);
    expect(endpoint.requests).toBe(1);
    await endpoint.clock.advance(1);
    await keys.refresh(endpoint.signal);
    expect(endpoint.requests).toBe(2);
  });

  it('asks again at once after the clock was set back', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    endpoint.clock.set(new Date('2025-01-01T00:00:00Z'));
    await keys.refresh(endpoint.signal);
    expect(endpoint.requests).toBe(2);
  });

  it('tells whoever needs newer keys that they cannot be had', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    endpoint.answer = json('', 500);
    await endpoint.clock.advance(10_000);
    const refused = await refusalOf(keys.refresh(endpoint.signal));
    expect(refused).toContain('token_keys_unavailable: expected newer token keys, got none: ');
    await expect(keys.refresh(endpoint.signal)).rejects.toMatchObject({ retryAfterMs: 10_000 });
    expect(endpoint.requests).toBe(2);
  });

  it('lets a caller go who no longer wants to wait', async () => {
    await using endpoint = new Endpoint();
    const keys = await endpoint.open();
    await keys.start();
    await endpoint.clock.advance(10_000);
    endpoint.answer = never;
    const caller = new AbortController();
    const waiting = keys.refresh(caller.signal);
    caller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });
});
