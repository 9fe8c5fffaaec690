import { rmSync, writeFileSync } from 'node:fs';
import { keepCredentials } from '../../src/rpc/own-credentials.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { Readiness } from '../../src/runtime/readiness.ts';
import { eventually } from '../support/eventually.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { passing, step } from '../support/passing.ts';
import { serverIdentity, testDomain } from '../support/rpc-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { hour } from '../identity/support/certify-bench.ts';
import { IdentityServer } from '../identity/support/identity-server.ts';

const workloads = {
  proxy: { subject: 'vm-1', identity: testDomain.identity('shop', 'web') },
  'destination service': { subject: 'vm-2', identity: testDomain.identity('kedge', 'kedge-destination') },
};

/** What proxies and the destination service have in common: they keep themselves certified by a token in a file. */
async function certifiedByFile(bench: IdentityServer, of: (typeof workloads)['proxy']) {
  bench.subjects.set(
    new Map([
      ['vm-1', { namespace: 'shop', serviceAccount: 'web' }],
      ['vm-2', { namespace: 'kedge', serviceAccount: 'kedge-destination' }],
    ]),
  );
  const directory = new TemporaryDirectory();
  const tokenFile = directory.file('token');
  const put = (): void => writeFileSync(tokenFile, bench.tokens.sign(of.subject, { claims: { exp: 9e9 } }));
  put();
  // Its own: TLS goes by the real time, by which the certificate of the service must be good.
  const clock = new ManualClock(bench.clock.now());
  const log = new LogCapture();
  const readiness = new Readiness();
  const own = keepCredentials(
    {
      ...{ identity: of.identity, tokenFile, minRefreshMs: 1_000, maxRefreshMs: 24 * hour },
      identityService: { address: await bench.address(), serverName: serverIdentity.dnsName },
      anchors: bench.root.bundle,
    },
    { log, metrics: new Metrics(), readiness, clock },
    bench.signal,
  );
  return {
    ...{ clock, log, readiness, put, tokenFile },
    serial: () => own.credentials.value?.leaf.serial,
    remove: () => rmSync(tokenFile),
    obtained: () => log.withMessage('certificate obtained').length,
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}

describe.each(Object.entries(workloads))('a %s whose token file is removed', (_, workload) => {
  it('keeps its certificate, says what it misses and until when it is good, and recovers when the file is put back', async () => {
    await using bench = new IdentityServer();
    using own = await certifiedByFile(bench, workload);
    await eventually(() => expect(own.obtained()).toBe(1));
    const first = own.serial();
    own.remove();
    await step(own.clock, 0.8 * 24 * hour);
    const kept = 'certificate not renewed; the present one stays in use';
    await eventually(() => expect(own.log.withMessage(kept)).not.toEqual([]));
    expect(own.log.withMessage(kept)[0]?.fields).toMatchObject({ code: 'token_unreadable' });
    expect(own.readiness.ready).toBe(true);
    expect(own.readiness.report()).toMatch(
      new RegExp(
        `degraded: certificate: not renewed, good until .*: expected a token in ${own.tokenFile}: ENOENT`,
      ),
    );
    expect([own.serial(), own.obtained()]).toEqual([first, 1]);

    own.put();
    await passing(own.clock, () => expect(own.obtained()).toBe(2));
    expect(own.serial()).not.toBe(first);
    expect(own.readiness.report()).toBe('ready\n');
  });

  it('takes an empty file for none, and recovers when there is a token in it', async () => {
    await using bench = new IdentityServer();
    using own = await certifiedByFile(bench, workload);
    await eventually(() => expect(own.obtained()).toBe(1));
    writeFileSync(own.tokenFile, '\n');
    await step(own.clock, 0.8 * 24 * hour);
    await eventually(() => expect(own.readiness.report()).toContain('got an empty file'));
    own.put();
    await passing(own.clock, () => expect(own.obtained()).toBe(2));
  });
});
