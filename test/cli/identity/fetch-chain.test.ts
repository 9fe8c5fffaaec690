import type { AddressInfo } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import type { FetchChainOptions } from '../../../src/cli/identity/fetch-chain.ts';
import { fetchChain } from '../../../src/cli/identity/fetch-chain.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { TestCa } from '../../support/test-ca.ts';

/** A server on loopback that is gone at the end of the block. */
class Served {
  readonly port: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#sockets.add(socket));
  }

  static async listen(server: net.Server): Promise<Served> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Served(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function tlsServer({ chain, key }: TestLeaf, options: tls.TlsOptions = {}): tls.Server {
  const server = tls.createServer({
    key: encodePrivateKey(key),
    cert: chain.map(({ pem }) => pem).join(''),
    ...options,
  });
  return server.on('tlsClientError', () => undefined);
}

const fetchFrom = (port: number, more: Partial<FetchChainOptions> = {}): ReturnType<typeof fetchChain> =>
  fetchChain({ host: '127.0.0.1', port, timeoutMs: 5_000, ...more });

describe('fetchChain', () => {
  const issuer = TestCa.create().intermediate();
  const leaf = issuer.leaf();

  it('gives the chain as the server sent it, with protocol, cipher and key exchange', async () => {
    await using server = await Served.listen(tlsServer(leaf));
    const shown = await fetchFrom(server.port);
    expect(shown.certificates.map(({ fingerprint }) => fingerprint)).toEqual(
      leaf.chain.map(({ fingerprint }) => fingerprint),
    );
    expect(shown.protocol).toBe('TLSv1.3');
    expect(shown.cipher).toMatch(/^TLS_AES_/);
    expect(shown.group).toMatch(/X25519/);
  });

  it('adds no anchor that the server did not send', async () => {
    await using server = await Served.listen(tlsServer({ ...leaf, chain: [leaf.certificate] }));
    expect((await fetchFrom(server.port)).certificates).toHaveLength(1);
  });

  it('shows a self-signed certificate once', async () => {
    const root = TestCa.create();
    const own = { ...leaf, certificate: root.certificate, chain: [root.certificate], key: root.key };
    await using server = await Served.listen(tlsServer(own));
    expect((await fetchFrom(server.port)).certificates).toHaveLength(1);
  });

  it('sees the chain of a server that demands a client certificate', async () => {
    const demanding = tlsServer(leaf, {
      requestCert: true,
      rejectUnauthorized: true,
      ca: issuer.anchor.pem,
      minVersion: 'TLSv1.3',
    });
    await using server = await Served.listen(demanding);
    expect((await fetchFrom(server.port)).certificates).toHaveLength(2);
  });

  it('asks for the name it was given', async () => {
    const names: string[] = [];
    const naming = tlsServer(leaf, {
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    await using server = await Served.listen(naming);
    await fetchFrom(server.port, { serverName: 'api.shop.example' });
    await fetchFrom(server.port);
    expect(names).toEqual(['api.shop.example']);
  });

  it('tells a refused connection', async () => {
    const server = await Served.listen(net.createServer());
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await expect(fetchFrom(port)).rejects.toMatchObject({
      code: 'connection_refused',
      message: `expected something to listen on 127.0.0.1:${port}, got connection refused`,
    });
  });

  it('tells a host that does not resolve', async () => {
    await expect(fetchChain({ host: 'nowhere.invalid', port: 1, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'address_unknown',
      message: expect.stringMatching(/^expected nowhere\.invalid to resolve to an address, got E/) as string,
    });
  });

  it('tells a server that speaks something else, and that a name may help', async () => {
    await using server = await Served.listen(net.createServer((socket) => void socket.end('220 hello\r\n')));
    await expect(fetchFrom(server.port)).rejects.toMatchObject({
      code: 'no_tls',
      message: `expected 127.0.0.1:${server.port} to answer TLS, got bytes that are not TLS: a proxy answers only to the name of its own identity, so give it with --name`,
    });
  });

  it('tells a server that closes without a word', async () => {
    await using server = await Served.listen(net.createServer((socket) => void socket.end()));
    await expect(fetchFrom(server.port, { serverName: 'a.b' })).rejects.toMatchObject({
      code: 'no_tls',
      message: `expected 127.0.0.1:${server.port} to answer TLS, got the connection closed for the name a.b: a proxy answers only to the name of its own identity`,
    });
  });

  it('tells the alert of a server that refuses the handshake', async () => {
    const pskOnly = tlsServer(leaf, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK' });
    await using server = await Served.listen(pskOnly);
    await expect(fetchFrom(server.port)).rejects.toMatchObject({
      code: 'tls_refused',
      message: expect.stringContaining('to show a certificate, got the alert "handshake failure"') as string,
    });
  });

  it('tells a server that stays silent after accepting, when the time is over', async () => {
    const clock = new ManualClock();
    await using server = await Served.listen(
      net.createServer((socket) => socket.once('data', () => void clock.advance(5_000))),
    );
    await expect(fetchFrom(server.port, { clock })).rejects.toMatchObject({
      code: 'no_tls',
      message: expect.stringContaining('within 5 s, got a connection and then silence') as string,
    });
  });

  it('tells an address that does not answer at all', async () => {
    // Time is over before the socket says anything.
    const clock: Clock = {
      ...systemClock,
      after: (_, run) => {
        queueMicrotask(run);
        return { cancel: () => undefined };
      },
    };
    const fetched = fetchChain({ host: '127.0.0.1', port: 9, timeoutMs: 5_000, clock });
    await expect(fetched).rejects.toMatchObject({
      code: 'connection_timeout',
      message: 'expected 127.0.0.1:9 to accept a connection within 5 s, got no answer',
    });
  });
});
