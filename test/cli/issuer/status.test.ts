import { Writable } from 'node:stream';
import { run } from '../../../src/cli/run.ts';
import { Holdings } from '../../../src/identity/holdings.ts';
import { showIssuerStatus } from '../../../src/identity/issuer-status.ts';
import type { IssuerState } from '../../../src/issuers/issuer.ts';
import { adminServer } from '../../../src/runtime/admin-server.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { closeServer, listen } from '../../../src/runtime/listen.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { Readiness } from '../../../src/runtime/readiness.ts';
import { formatSocketAddress } from '../../../src/runtime/socket-address.ts';
import { pods } from '../../../src/kube/resources.ts';
import { FakeKubeApi } from '../../support/fake-kube-api.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { clientIdentity as web } from '../../support/rpc-server.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';

const hour = 3_600_000;
const now = Date.now();
const in_ = (hours: number): Date => new Date(now + hours * hour);
const ready: IssuerState = { state: 'ready', notBefore: in_(-1), notAfter: in_(8_760), asksCa: true };
const outage = { since: in_(-1), reason: 'expected 200, got 503 (sealed)' };

/** The admin port of a replica. */
class Admin implements AsyncDisposable {
  readonly holdings = new Holdings(systemClock);
  readonly metrics = new Metrics();
  readonly #server;

  constructor(state: IssuerState) {
    const { holdings, metrics } = this;
    const pages = new Map<string, () => unknown>();
    const issuer = { state: new LatestValue(state), issue: () => Promise.reject(new Error('not asked')) };
    showIssuerStatus({ issuer, holdings, clock: systemClock, lifetimeMs: 24 * hour }, { pages, metrics });
    const readiness = new Readiness();
    this.#server = adminServer({ readiness, metrics, log: new LogCapture(), clock: systemClock, pages });
  }

  give(podUid: string, hours: number): this {
    const caller = { address: '10.0.0.1', name: undefined };
    this.holdings.given({ identity: web, token: { podUid }, caller }, in_(hours));
    return this;
  }

  async address(): Promise<string> {
    return formatSocketAddress(await listen(this.#server, { host: '127.0.0.1', port: 0 }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeServer(this.#server, AbortSignal.abort());
  }
}

async function status(...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const stdout = new Writable({
    write: (part: Buffer, _, done) => {
      text += part.toString();
      done();
    },
  });
  const code = await run(['issuer', 'status', ...args], { stdout, stderr: stdout });
  return { code, text };
}

/** JSON is YAML, too. */
function kubeconfigOf({ url }: FakeKubeApi): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: { server: url.origin } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}

describe('kedge issuer status', () => {
  it('adds up what the replicas say, and shows it in tables that line up', async () => {
    await using first = new Admin(ready).give('a', 3).give('b', 24);
    await using second = new Admin({ ...ready, outage }).give('c', 6);
    const addresses = [await first.address(), await second.address()];
    const { code, text } = await status(...addresses.flatMap((each) => ['--address', each]));
    expect(code).toBe(1);
    const lines = text.split('\n');
    const at = (word: string): number => lines[0]?.indexOf(word) ?? -1;
    expect(lines[0]).toMatch(/^REPLICA +ISSUER +BREAKER +SIGNS UNTIL +WORKLOADS +COUNTS SINCE$/);
    expect(lines[1]?.slice(at('ISSUER'))).toMatch(/^ready +closed +\d{4}-/);
    expect(lines[2]?.slice(at('ISSUER'))).toMatch(/^away +open +\d{4}-/);
    expect([1, 2].map((line) => lines[line]?.slice(at('WORKLOADS'), at('WORKLOADS') + 2))).toEqual([
      '2 ',
      '1 ',
    ]);
    expect(text).toContain(`${addresses[1]}: the CA does not answer since`);
    expect(text).toMatch(/first one without a certificate +.*\(in 2h59m\)\n +web\.shop\./);
    // Seven hours and twelve minutes from the beginning of the outage.
    expect(text).toMatch(/all that renew in time hold until +.*\(in 6h1[12]m\)/);
    expect(text).toMatch(/ {2}4h +1\n {2}8h +2\n {2}16h +2\n {2}24h +3\n/);
  });

  it('gives programs the same, and ends well where all is well', async () => {
    await using replica = new Admin(ready).give('a', 3);
    const { code, text } = await status('--address', await replica.address(), '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      firstExpiry: { at: in_(3).toISOString(), identity: web.dnsName },
      workloads: { known: 1, quiet: 0, forgotten: 0 },
      replicas: [
        { status: { issuer: { state: 'ready', asksCa: true, breaker: 'closed' }, lifetimeSeconds: 86_400 } },
      ],
    });
    expect(await replica.metrics.text()).toContain(
      `kedge_identity_first_expiry_timestamp_seconds ${in_(3).getTime() / 1000}`,
    );
    expect(await replica.metrics.text()).toContain('kedge_identity_expiring_workloads{within="4h"} 1');
  });

  it('shows of a CA in the cluster until when that signs: all hold until then', async () => {
    const local: IssuerState = { state: 'ready', notBefore: in_(-1), notAfter: in_(48) };
    await using replica = new Admin(local).give('a', 3);
    const { code, text } = await status('--address', await replica.address(), '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      holdsUntil: in_(48).toISOString(),
      firstExpiry: { at: in_(48).toISOString() },
    });
  });

  it('counts on who stands in for a CA that is away until that one ends, where it signs by itself', async () => {
    const local: IssuerState = {
      ...{ state: 'ready', notBefore: in_(-1), notAfter: in_(5), outage: { ...outage, standIn: 'local' } },
    };
    await using replica = new Admin(local).give('a', 3).give('b', 7);
    const address = await replica.address();
    const { text } = await status('--address', address);
    expect(text).toMatch(/\n\S+ +away +open +\d{4}-/);
    const until = `${in_(5).toISOString().slice(0, 19).replace('T', ' ')}Z`;
    expect(text).toContain(`${address}: local stands in for it until ${until}\n`);
    expect(text).toMatch(/first one without a certificate +.*\(in 4h59m\)/);
    expect(text).toMatch(/ {2}4h +0\n {2}8h +2\n/);
    const { text: json } = await status('--address', address, '-o', 'json');
    expect(JSON.parse(json)).toMatchObject({
      holdsUntil: in_(5).toISOString(),
      replicas: [{ status: { issuer: { state: 'away', asksCa: false, breaker: 'open', standIn: 'local' } } }],
    });
  });

  it('names a replica that does not answer, and shows the others', async () => {
    await using replica = new Admin(ready);
    const gone = new Admin(ready);
    const nobody = await gone.address();
    await gone[Symbol.asyncDispose]();
    const { code, text } = await status('--address', nobody, '--address', await replica.address());
    expect(code).toBe(1);
    expect(text).toContain(`${nobody}: connect ECONNREFUSED`);
    expect(text).toMatch(/ready +closed/);
  });

  it('asks every replica in the cluster, through the API server', async () => {
    using directory = new TemporaryDirectory();
    await using api = await FakeKubeApi.start();
    directory.write({ kubeconfig: kubeconfigOf(api) });
    const labels = { 'app.kubernetes.io/name': 'kedge', 'app.kubernetes.io/component': 'identity' };
    api.put(pods, { metadata: { name: 'kedge-identity-1', namespace: 'kedge', labels } });
    const holdings = new Holdings(systemClock);
    const pages = new Map<string, () => unknown>();
    const issuer = { state: new LatestValue(ready), issue: () => Promise.reject(new Error('not asked')) };
    const shown = { issuer, holdings, clock: systemClock, lifetimeMs: 24 * hour };
    showIssuerStatus(shown, { pages, metrics: new Metrics() });
    api.fault = ({ path }, response) => {
      if (decodeURIComponent(path) !== '/api/v1/namespaces/kedge/pods/kedge-identity-1:9990/proxy/issuer')
        return false;
      response.end(JSON.stringify(pages.get('/issuer')?.()));
      return true;
    };
    const { code, text } = await status('--kubeconfig', directory.file('kubeconfig'));
    expect(text).toMatch(/\nkedge-identity-1 +ready +closed/);
    expect(code).toBe(0);
    const none = await status('--kubeconfig', directory.file('kubeconfig'), '--namespace', 'other');
    expect(none.text).toContain('expected pods of the identity service');
    expect(none.code).toBe(1);
  });
});
