import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { AccessKeeper } from '../../src/kube/access.ts';
import { connectKube } from '../../src/kube/connect-kube.ts';
import { inClusterCredentials } from '../../src/kube/in-cluster-credentials.ts';
import { kubeconfigCredentials } from '../../src/kube/kubeconfig-credentials.ts';
import { pods } from '../../src/kube/resources.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { answer, FakeKubeApi, status } from '../support/fake-kube-api.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { TestCa } from '../support/test-ca.ts';
import { TestConnection } from './support/kube-connection.ts';

const { signal } = new AbortController();
const place = { namespace: 'shop', name: 'a' };

/** An API server of TLS on the name `localhost`, which knows whoever has this token. */
class SecureApi implements AsyncDisposable {
  readonly ca = TestCa.create();
  readonly seen: string[] = [];
  token = 'first-token';
  readonly #leaf = this.ca.leaf({ dnsName: 'localhost' });
  readonly #server = createServer(
    {
      key: this.#leaf.key.export({ type: 'pkcs8', format: 'pem' }),
      cert: this.#leaf.certificate.pem,
    },
    (request, response) => {
      const { authorization = 'nobody' } = request.headers;
      this.seen.push(authorization);
      if (authorization === `Bearer ${this.token}`) answer(response, 200, { metadata: { name: 'a' } });
      else answer(response, 401, status(401, 'Unauthorized', 'Unauthorized'));
    },
  );

  static async start(): Promise<SecureApi> {
    const api = new SecureApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const kubeconfig = (cluster: object, user: object): string =>
  JSON.stringify({
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

describe('the credentials of a pod', () => {
  it('are read again after a minute, and at once when they are refused', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const clock = new ManualClock();
    directory.mount({ token: 'first-token\n', 'ca.crt': api.ca.certificate.pem });
    using client = TestConnection.to({
      load: inClusterCredentials('localhost', api.port, directory.path),
      clock,
    });
    await client.read(pods, place, signal);
    directory.mount({ token: 'second-token', 'ca.crt': api.ca.certificate.pem });
    await client.read(pods, place, signal);
    await clock.advance(60_000);
    api.token = 'second-token';
    await client.read(pods, place, signal);
    directory.mount({ token: 'third-token', 'ca.crt': api.ca.certificate.pem });
    api.token = 'third-token';
    await Promise.all([client.read(pods, place, signal), client.read(pods, place, signal)]);
    expect(api.seen.map((header) => header.split(' ')[1]?.split('-')[0])).toEqual([
      'first',
      'first',
      'second',
      'second',
      'second',
      'third',
      'third',
    ]);
  });

  it('are asked for once more only where others have come meanwhile', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    directory.mount({ token: 'an-old-token', 'ca.crt': api.ca.certificate.pem });
    using client = TestConnection.to({ load: inClusterCredentials('localhost', api.port, directory.path) });
    const said = await refusalOf(client.read(pods, place, signal));
    expect(said).toBe('kube_unauthenticated: get pods: the API server answered 401: Unauthorized');
    expect(api.seen).toHaveLength(1);
  });

  it('are no use where the API server cannot prove itself, and are not sent to it', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    directory.write({ token: 'first-token', 'ca.crt': TestCa.create().certificate.pem });
    using client = TestConnection.to({ load: inClusterCredentials('localhost', api.port, directory.path) });
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(
      /^kube_untrusted: get pods: .* got UNABLE_TO_/,
    );
    directory.write({ 'ca.crt': api.ca.certificate.pem });
    using other = TestConnection.to({ load: inClusterCredentials('127.0.0.1', api.port, directory.path) });
    expect(await refusalOf(other.read(pods, place, signal))).toMatch(
      /^kube_untrusted: .* got ERR_TLS_CERT_ALTNAME/,
    );
    expect(api.seen).toEqual([]);
  });

  it('take a new CA without a restart', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const clock = new ManualClock();
    directory.write({ token: 'first-token', 'ca.crt': TestCa.create().certificate.pem });
    using client = TestConnection.to({
      load: inClusterCredentials('localhost', api.port, directory.path),
      clock,
    });
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(/^kube_untrusted/);
    directory.write({ 'ca.crt': api.ca.certificate.pem });
    await clock.advance(60_000);
    await client.read(pods, place, signal);
  });

  it('stay in use while their files are away, until they are refused', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const clock = new ManualClock();
    directory.write({ token: 'first-token', 'ca.crt': api.ca.certificate.pem });
    using client = TestConnection.to({
      load: inClusterCredentials('localhost', api.port, directory.path),
      clock,
    });
    await client.read(pods, place, signal);
    directory.write({ token: undefined });
    await clock.advance(60_000);
    await client.read(pods, place, signal);
    api.token = 'second-token';
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(
      /^kube_config_invalid: expected a file at/,
    );
  });

  it('are missing with a word of where they should be, and found when they come', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    using client = TestConnection.to({ load: inClusterCredentials('localhost', api.port, directory.path) });
    expect(await refusalOf(client.read(pods, place, signal))).toBe(
      `kube_config_invalid: expected a file at ${directory.file('token')}, found none`,
    );
    directory.write({ token: 'first-token', 'ca.crt': api.ca.certificate.pem });
    await client.read(pods, place, signal);
  });
});

describe('the credentials of a kubeconfig', () => {
  it('are a token, with the CA and the name that the server has to prove', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const cluster = { server: `https://127.0.0.1:${api.port}`, 'tls-server-name': 'localhost' };
    const ca = { 'certificate-authority': 'ca.pem' };
    directory.write({
      'ca.pem': api.ca.certificate.pem,
      config: kubeconfig({ ...cluster, ...ca }, { token: 'first-token' }),
    });
    const log = new LogCapture();
    using client = TestConnection.to({ load: kubeconfigCredentials(directory.file('config'), log) });
    await client.read(pods, place, signal);
    expect(log.records).toEqual([]);
  });

  it('are what a plugin gives, which is asked again when that is refused, and never shown', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-p', "fs.readFileSync(process.argv[1], 'utf8')", directory.file('credential')],
    };
    const cluster = {
      server: `https://localhost:${api.port}`,
      'certificate-authority-data': Buffer.from(api.ca.certificate.pem).toString('base64'),
    };
    const credential = (token: string): string => JSON.stringify({ status: { token } });
    directory.write({ credential: credential('first-token'), config: kubeconfig(cluster, { exec }) });
    using client = TestConnection.to({
      load: kubeconfigCredentials(directory.file('config'), new LogCapture()),
    });
    await client.read(pods, place, signal);
    directory.write({ credential: credential('second-token') });
    api.token = 'second-token';
    await client.read(pods, place, signal);
    expect(api.seen.at(-1)).toBe('Bearer second-token');
    directory.write({ credential: 'third-token is no JSON' });
    api.token = 'none';
    const said = await refusalOf(client.read(pods, place, signal));
    expect(said).toMatch(
      /^kube_config_invalid: expected credentials in the kubeconfig .*: its credentials cannot be had/,
    );
    expect(said).not.toContain('third-token');
  });

  it('turn verification off only where it says so, with a warning', async () => {
    await using api = await SecureApi.start();
    using directory = new TemporaryDirectory();
    const cluster = { server: `https://localhost:${api.port}`, 'insecure-skip-tls-verify': true };
    directory.write({ config: kubeconfig(cluster, { token: 'first-token' }) });
    const log = new LogCapture();
    const clock = new ManualClock();
    using client = TestConnection.to({ load: kubeconfigCredentials(directory.file('config'), log), clock });
    await client.read(pods, place, signal);
    await clock.advance(60_000);
    await client.read(pods, place, signal);
    expect(log.records.map(({ level, message }) => `${level}: ${message.slice(0, 44)}`)).toEqual([
      'warn: the kubeconfig says insecure-skip-tls-verify',
    ]);
    expect(log.text).not.toContain('first-token');
  });

  it.each([
    ['no file', undefined, 'the file cannot be read (ENOENT)'],
    ['no kubeconfig', 'token: [first-token', 'it is no kubeconfig'],
    ['no current context', '{}', 'its current context names no cluster with the URL of a server'],
    [
      'no URL',
      kubeconfig({ server: 'somewhere' }, {}),
      'its current context names no cluster with the URL of a server',
    ],
  ])('say what is wrong with %s, and nothing of what it holds', async (_what, text, expected) => {
    using directory = new TemporaryDirectory();
    directory.write({ config: text });
    const file = directory.file('config');
    using client = TestConnection.to({ load: kubeconfigCredentials(file, new LogCapture()) });
    expect(await refusalOf(client.read(pods, place, signal))).toBe(
      `kube_config_invalid: expected credentials in the kubeconfig ${file}: ${expected}`,
    );
  });

  it('go over plain HTTP to this machine only', async () => {
    await using api = await FakeKubeApi.start();
    using directory = new TemporaryDirectory();
    directory.write({ config: kubeconfig({ server: api.url.href }, { token: 'first-token' }) });
    const load = kubeconfigCredentials(directory.file('config'), new LogCapture());
    using client = TestConnection.to({ load });
    await client.list(pods, {}, {}, signal);
    expect(api.requests[0]?.headers.authorization).toBe('Bearer first-token');
    directory.write({ config: kubeconfig({ server: 'http://api.example.com' }, { token: 'first-token' }) });
    const keeper = new AccessKeeper(load, new ManualClock());
    expect(await refusalOf(keeper.current())).toBe(
      'kube_config_invalid: expected the API server at an https URL, or at http on a loopback address, got http://api.example.com',
    );
  });
});

describe('connectKube', () => {
  const parts = {
    name: 'kedge-test',
    log: new LogCapture(),
    clock: new ManualClock(),
    metrics: new Metrics(),
  };

  it('says how to reach an API server where nothing names one', async () => {
    const settings = { kubeconfig: undefined, kubeServiceHost: undefined, kubeServicePort: 443 };
    expect(await refusalOf(connectKube(settings, parts))).toBe(
      'kube_config_invalid: expected a kubeconfig in KEDGE_KUBECONFIG, or to run in a pod (KUBERNETES_SERVICE_HOST), got neither',
    );
  });

  it('asks nothing of an API server before it is used', async () => {
    using directory = new TemporaryDirectory();
    directory.write({ config: kubeconfig({ server: 'http://127.0.0.1:1' }, {}) });
    const settings = {
      kubeconfig: directory.file('config'),
      kubeServiceHost: 'ignored',
      kubeServicePort: 443,
    };
    const client = await connectKube(settings, parts);
    expect(await refusalOf(client.read(pods, place, signal))).toMatch(
      /^kube_unreachable: get pods: .* ECONNREFUSED$/,
    );
  });
});
