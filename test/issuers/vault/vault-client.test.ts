import { once } from 'node:events';
import { createServer } from 'node:net';
import { VaultClient, type VaultClientOptions } from '../../../src/issuers/vault/vault-client.ts';
import { VaultConnections } from '../../../src/issuers/vault/vault-connections.ts';
import { systemClock, type Clock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { FakeVault, type FakeReply } from './support/fake-vault.ts';

const ended = new AbortController();
afterAll(() => ended.abort());
const { signal } = new AbortController();

async function clientOf(
  address: URL,
  {
    maxConnections = 4,
    clock = systemClock,
    ...options
  }: Partial<VaultClientOptions> & {
    readonly maxConnections?: number;
    readonly clock?: Clock;
  } = {},
): Promise<VaultClient> {
  const files = { caFile: undefined, serverName: undefined, client: undefined };
  const connections = new VaultConnections({ address, ...files, maxConnections, clock });
  await connections.start(ended.signal);
  return new VaultClient({ address, connections, namespace: undefined, timeoutMs: 5_000, clock, ...options });
}

const errors = (...texts: string[]): FakeReply['body'] => ({ errors: texts });
const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${'QUJD'.repeat(40)}\n-----END CERTIFICATE REQUEST-----\n`;

describe('VaultClient', () => {
  it('sends JSON with the token and the namespace in headers, and gives the JSON of the answer', async () => {
    await using fake = await FakeVault.start(() => ({ body: { data: { a: 1 } } }));
    const client = await clientOf(fake.address, { namespace: 'teams/mesh' });
    const path = 'a/deep/mount/sign/kedge';
    expect(await client.write(path, { ttl: '1h' }, { signal, token: 'the-token' })).toEqual({
      data: { a: 1 },
    });
    const [call] = fake.calls;
    expect(call).toMatchObject({ method: 'POST', path, body: { ttl: '1h' } });
    expect(call?.headers).toMatchObject({
      'x-vault-token': 'the-token',
      'x-vault-namespace': 'teams/mesh',
      'x-vault-request': 'true',
    });
  });

  it('takes nothing of its own from the environment', async () => {
    const names = [
      'VAULT_TOKEN',
      'VAULT_NAMESPACE',
      'VAULT_PREFIX',
      'VAULT_ADDR',
      'HTTP_PROXY',
      'http_proxy',
    ];
    for (const name of names) process.env[name] = name === 'VAULT_PREFIX' ? '/prefix' : 'http://127.0.0.1:9';
    try {
      await using fake = await FakeVault.start(() => ({}));
      const client = await clientOf(fake.address);
      await client.read('pki/cert/ca_chain', { signal });
      expect(fake.paths).toEqual(['pki/cert/ca_chain']);
      expect(fake.calls[0]?.headers).not.toHaveProperty('x-vault-token');
      expect(fake.calls[0]?.headers).not.toHaveProperty('x-vault-namespace');
    } finally {
      for (const name of names) Reflect.deleteProperty(process.env, name);
    }
  });

  it('asks for the health without a namespace, and reads it whatever the status', async () => {
    await using fake = await FakeVault.start(() => ({
      status: 503,
      body: { initialized: true, sealed: true, standby: true, version: '2.7.2' },
    }));
    const client = await clientOf(fake.address, { namespace: 'teams' });
    expect(await client.health(signal)).toEqual({
      initialised: true,
      sealed: true,
      standby: true,
      version: '2.7.2',
    });
    expect(fake.calls[0]?.headers).not.toHaveProperty('x-vault-namespace');
  });

  it.each([
    [400, 'vault_request_refused', 'failed_precondition', ['common name a.b not allowed by this role']],
    [400, 'vault_path_missing', 'unavailable', ['unknown role: kedge']],
    [403, 'vault_forbidden', 'unavailable', ['permission denied']],
    [404, 'vault_path_missing', 'unavailable', ['no handler for route "pki/sign/kedge"']],
    [404, 'vault_path_missing', 'unavailable', []],
    [405, 'vault_path_missing', 'unavailable', ['unsupported operation']],
    [412, 'vault_failed', 'unavailable', ['required index state not present']],
    [
      429,
      'vault_rate_limited',
      'resource_exhausted',
      ['request path "pki/sign/kedge": rate limit quota exceeded'],
    ],
    [472, 'vault_standby', 'unavailable', []],
    [473, 'vault_standby', 'unavailable', []],
    [500, 'vault_failed', 'unavailable', ['1 error occurred: disk full']],
    [500, 'vault_standby', 'unavailable', ['local node not active but active cluster node not found']],
    [501, 'vault_not_initialised', 'unavailable', []],
    [502, 'vault_failed', 'unavailable', []],
    [503, 'vault_sealed', 'unavailable', ['Vault is sealed']],
    [503, 'vault_failed', 'unavailable', ['upstream connect error']],
  ])('tells status %i as %s', async (status, code, kind, reasons) => {
    await using fake = await FakeVault.start(() => ({ status, body: errors(...reasons) }));
    const client = await clientOf(fake.address);
    const [reason] = reasons;
    const message = `expected Vault to answer pki/sign/kedge, got status ${status}${reason === undefined ? '' : `: ${reason}`}`;
    const call = client.write('pki/sign/kedge', { csr }, { signal });
    await expect(call).rejects.toMatchObject({ code, kind, message });
  });

  it.each([400, 403])('tells status %i of a log-in as credentials that were refused', async (status) => {
    await using fake = await FakeVault.start(() => ({
      status,
      body: errors('service account name not authorized'),
    }));
    const client = await clientOf(fake.address);
    const call = client.write('auth/kubernetes/login', { jwt: 'secret' }, { signal, login: true });
    await expect(call).rejects.toMatchObject({ code: 'vault_login_refused', kind: 'unavailable' });
  });

  it('tells when to come back, where a quota says it', async () => {
    await using fake = await FakeVault.start(() => ({ status: 429, headers: { 'Retry-After': '7' } }));
    const client = await clientOf(fake.address);
    await expect(client.read('x', { signal })).rejects.toMatchObject({ retryAfterMs: 7_000 });
    fake.handle = () => ({ status: 429, headers: { 'Retry-After': 'Sun, 22 Nov 2026 07:00:00 GMT' } });
    await expect(client.read('x', { signal })).rejects.toMatchObject({ retryAfterMs: undefined });
  });

  it('never shows what it sent, though the server hands it back, and cuts long reasons', async () => {
    const jwt = `eyJhbGciOiJSUzI1NiJ9.${'e30'.repeat(20)}.c2ln`;
    const token = 'hvs.CAESIJx0123456789abcdefghij';
    const reason = `bad\nrequest ${csr} with ${jwt} by ${token} and s.0123456789abcdefghijkl ${'long '.repeat(200)}`;
    await using fake = await FakeVault.start(() => ({ status: 400, body: errors(reason) }));
    const client = await clientOf(fake.address);
    const refusal = await refusalOf(client.write('pki/sign/kedge', { csr }, { signal, token }));
    expect(refusal).toContain(
      'got status 400: bad request [left out] with [left out] by [left out] and [left out]',
    );
    expect(refusal.length).toBeLessThan(600);
    expect(refusal).not.toContain('QUJD');
  });

  it('keeps a DNS name in a reason whole, however long', async () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.serviceaccount.identity.kedge.cluster.local`;
    await using fake = await FakeVault.start(() => ({ status: 400, body: errors(`${name} not allowed`) }));
    const client = await clientOf(fake.address);
    expect(await refusalOf(client.read('x', { signal }))).toContain(`${name} not allowed`);
  });

  it.each([
    [
      'a page of something else',
      { body: '<html>', headers: { 'Content-Type': 'text/html' } },
      'got 6 characters of text/html',
    ],
    ['nothing', { body: '' }, 'got 0 characters'],
    ['a bare number', { body: '1' }, 'got 1 characters'],
  ])('refuses %s as an answer', async (_, reply, says) => {
    await using fake = await FakeVault.start(() => reply);
    const client = await clientOf(fake.address);
    const refusal = await refusalOf(client.read('x', { signal }));
    expect(refusal).toContain('vault_answer_malformed: expected JSON as the answer to x');
    expect(refusal).toContain(says);
  });

  it('refuses an answer of ten megabytes, and does not wait for it', async () => {
    await using fake = await FakeVault.start(() => ({ body: JSON.stringify('x'.repeat(10 * 1024 * 1024)) }));
    const client = await clientOf(fake.address);
    expect(await refusalOf(client.read('x', { signal }))).toContain('vault_answer_too_large');
    await eventually(() => expect(fake.open).toBe(0));
  });

  it('tells an answer that breaks off', async () => {
    await using fake = await FakeVault.start(({ response }) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('{"data":');
      setImmediate(() => response.destroy());
      return undefined;
    });
    const client = await clientOf(fake.address);
    const refusal = await refusalOf(client.read('x', { signal }));
    expect(refusal).toMatch(/^vault_(answer_incomplete|unreachable): /);
  });

  it('follows no redirect, and says where it led', async () => {
    await using other = await FakeVault.start(() => ({}));
    const headers = { Location: `${other.address.href}v1/x` };
    await using fake = await FakeVault.start(() => ({ status: 307, headers }));
    const client = await clientOf(fake.address);
    const refusal = await refusalOf(client.read('x', { signal, token: 'secret' }));
    expect(refusal).toBe(
      `vault_redirected: expected an answer to x, got a redirect to ${other.address.host}`,
    );
    expect(other.calls).toEqual([]);
  });

  it('tells that nobody listens', async () => {
    const closed = createServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const { port } = closed.address() as { port: number };
    await once(closed.close(), 'close');
    const client = await clientOf(new URL(`http://127.0.0.1:${port}`));
    const refusal = await refusalOf(client.read('x', { signal }));
    expect(refusal).toContain(
      `vault_unreachable: expected http://127.0.0.1:${port} to answer x, got ECONNREFUSED`,
    );
  });

  it('tells that the name has no address', async () => {
    const client = await clientOf(new URL('http://vault.invalid:8200'));
    expect(await refusalOf(client.read('x', { signal }))).toContain('vault_name_unknown');
  });

  it('tells a server that speaks something else', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('SSH-2.0-OpenSSH\r\n'),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const client = await clientOf(new URL(`http://127.0.0.1:${port}`));
    expect(await refusalOf(client.read('x', { signal }))).toContain('vault_answer_malformed');
    const overTls = await clientOf(new URL(`https://127.0.0.1:${port}`));
    expect(await refusalOf(overTls.read('x', { signal }))).toContain('vault_tls_failed');
    await once(server.close(), 'close');
  });

  it('gives up at its deadline, and ends the connection', async () => {
    await using fake = await FakeVault.start(() => undefined);
    const clock = new ManualClock();
    const client = await clientOf(fake.address, { clock, timeoutMs: 10_000 });
    const call = refusalOf(client.read('x', { signal }));
    await eventually(() => expect(fake.calls).toHaveLength(1));
    await clock.advance(10_000);
    expect(await call).toBe(`vault_timeout: expected ${fake.address.origin} to answer x within 10000 ms`);
    await eventually(() => expect(fake.open).toBe(0));
  });

  it('ends the connection with its signal, and rejects with the reason of that', async () => {
    await using fake = await FakeVault.start(() => undefined);
    const client = await clientOf(fake.address);
    const gone = new AbortController();
    const call = client.read('x', { signal: gone.signal });
    await eventually(() => expect(fake.calls).toHaveLength(1));
    gone.abort(new Error('the workload has gone'));
    await expect(call).rejects.toThrow('the workload has gone');
    await eventually(() => expect(fake.open).toBe(0));
  });

  it('uses few connections, again and again', async () => {
    await using fake = await FakeVault.start(() => ({}));
    const client = await clientOf(fake.address, { maxConnections: 3 });
    await Promise.all(Array.from({ length: 50 }, () => client.write('x', {}, { signal })));
    expect(fake.calls).toHaveLength(50);
    expect(fake.connections).toBe(3);
  });

  it('tries once more over a new connection where a kept one was closed meanwhile', async () => {
    await using fake = await FakeVault.start(() => ({}));
    const client = await clientOf(fake.address, { maxConnections: 1 });
    await client.read('first', { signal });
    fake.handle = ({ response }) => {
      if (fake.connections > 1) return {};
      response.socket?.resetAndDestroy();
      return undefined;
    };
    await client.read('second', { signal });
    expect(fake.paths).toEqual(['first', 'second', 'second']);
  });

  it('holds 10,000 calls to its connections and its deadline', async () => {
    await using fake = await FakeVault.start(() => undefined);
    const clock = new ManualClock();
    const client = await clientOf(fake.address, { clock, maxConnections: 8, timeoutMs: 10_000 });
    const calls = Array.from({ length: 10_000 }, () => refusalOf(client.write('x', { csr }, { signal })));
    await eventually(() => expect(fake.calls).toHaveLength(8));
    await clock.advance(10_000);
    const refusals = await Promise.all(calls);
    const busy =
      'vault_timeout: expected a free connection to Vault, got none in half of the time for a call';
    expect(refusals.filter((each) => each === busy)).toHaveLength(9_992);
    expect(refusals.filter((each) => each.endsWith('within 10000 ms'))).toHaveLength(8);
    expect(clock.pending).toBe(0);
    fake.handle = () => ({ body: { after: true } });
    expect(await client.read('y', { signal })).toEqual({ after: true });
    expect(fake.connections).toBe(9);
  });

  it('knows how far ahead the clock of the server is', async () => {
    const clock = new ManualClock(new Date('2026-01-01T00:00:00Z'));
    const headers = { Date: 'Thu, 01 Jan 2026 00:00:30 GMT' };
    await using fake = await FakeVault.start(() => ({ headers }));
    const client = await clientOf(fake.address, { clock });
    expect(client.aheadMs).toBe(0);
    await client.read('x', { signal });
    expect(client.aheadMs).toBe(30_000);
  });
});
