import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';

import type { Credentials } from '../../src/pki/credentials.ts';
import { listenAdmin } from '../../src/proxy/admin-listener.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientCredentials, clientIdentity } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';
import { TestClient } from './outbound/support/rig.ts';

const ca = TestCa.create();
const request = 'GET /live HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\n\r\n';

async function admin(credentials = clientCredentials(ca)) {
  const clock = new ManualClock();
  const log = new LogCapture();
  const pages = createServer((_, response) => response.end('alive\n'));
  // Certificates are made for the present, so dates are real where timers are not.
  const realNow = {
    now: () => new Date(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
  };
  const options = { pages, serverName: clientIdentity.dnsName, credentials, clock: realNow, log };
  const listener = await listenAdmin({ host: '127.0.0.1', port: 0 }, options);
  return { ...listener, clock, log, [Symbol.dispose]: () => listener.close() };
}

/** Asks over TLS, as a tool does that looks at the certificate. */
async function askOverTls(
  port: number,
  options: tls.ConnectionOptions,
): Promise<{ answer: string; names: string | undefined }> {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const names = socket.getPeerX509Certificate()?.subjectAltName;
  socket.end(request);
  return { answer: await text(socket), names };
}

describe('the admin port', () => {
  it('answers in plaintext', async () => {
    using listener = await admin();
    const socket = connect(listener.address).on('error', () => undefined);
    socket.write(request);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK.*alive\n/s);
  });

  it('answers in plaintext to a client that ends its side with its request', async () => {
    using listener = await admin();
    const socket = connect({ ...listener.address, allowHalfOpen: true });
    socket.end(request);
    expect(await text(socket)).toContain('alive');
  });

  it('answers in plaintext without a certificate', async () => {
    using listener = await admin(new LatestValue<Credentials | undefined>(undefined));
    const socket = connect(listener.address);
    socket.write(request);
    expect(await text(socket)).toContain('alive');
  });

  it("answers over TLS for the workload's name, and shows its certificate to anyone", async () => {
    using listener = await admin();
    const { answer, names } = await askOverTls(listener.address.port, { servername: clientIdentity.dnsName });
    expect(answer).toContain('alive');
    expect(names).toContain(`DNS:${clientIdentity.dnsName}`);
  });

  it('shows the newest certificate', async () => {
    const credentials = clientCredentials(ca);
    using listener = await admin(credentials);
    const other = TestCa.create();
    credentials.set(other.leaf({ identity: clientIdentity }).credentials());
    const trusting = { servername: clientIdentity.dnsName, ca: other.bundle.pem, rejectUnauthorized: true };
    expect((await askOverTls(listener.address.port, trusting)).answer).toContain('alive');
  });

  it.each([
    ['for another name', { servername: 'other.example' }],
    ['for no name', {}],
  ])('does not speak TLS %s', async (_, options) => {
    using listener = await admin();
    await expect(askOverTls(listener.address.port, options)).rejects.toThrow();
  });

  it('does not speak TLS before there is a certificate', async () => {
    using listener = await admin(new LatestValue<Credentials | undefined>(undefined));
    const asking = askOverTls(listener.address.port, { servername: clientIdentity.dnsName });
    await expect(asking).rejects.toThrow();
    await eventually(() =>
      expect(listener.log.text).toContain('expected a certificate of our own, got none yet'),
    );
  });

  it('cuts a client that says nothing for a second', async () => {
    using listener = await admin();
    using client = new TestClient(listener.address);
    await eventually(() => expect(listener.clock.pending).toBe(1));
    await listener.clock.advance(1000);
    await eventually(() => expect(client.brokenBy).toBe('ECONNRESET'));
  });

  it('lets go the client that is there for longest when there are too many', async () => {
    using listener = await admin();
    using first = new TestClient(listener.address);
    await eventually(() => expect(listener.clock.pending).toBe(1));
    using others = new DisposableStack();
    for (let i = 0; i < 16; i++) others.use(new TestClient(listener.address));
    await eventually(() => expect(first.brokenBy).toBe('ECONNRESET'));
    using late = new TestClient(listener.address).send(request);
    await eventually(() => expect(late.received).toContain('alive'));
  });
});
