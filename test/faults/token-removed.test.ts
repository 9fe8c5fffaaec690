import { writeFileSync } from 'node:fs';
import { IdentityServer } from '../identity/support/identity-server.ts';
import { hour } from '../identity/support/certify-bench.ts';
import { eventually } from '../support/eventually.ts';
import { passing, step } from '../support/passing.ts';
import { testDomain } from '../support/rpc-server.ts';
import { Certified } from './support/certified.ts';

const workloads = {
  proxy: { subject: 'vm-1', identity: testDomain.identity('shop', 'web') },
  'destination service': { subject: 'vm-2', identity: testDomain.identity('kedge', 'kedge-destination') },
};

/** When a renewal is due, whatever the jitter. */
const renewalMs = 0.8 * 24 * hour;

function identityServer(): IdentityServer {
  const bench = new IdentityServer();
  const accounts = Object.values(workloads).map(
    ({ subject, identity: { namespace, serviceAccount } }) =>
      [subject, { namespace, serviceAccount }] as const,
  );
  bench.subjects.set(new Map(accounts));
  return bench;
}

describe.each(Object.entries(workloads))('a %s whose token file is removed', (_, workload) => {
  it('keeps its certificate, says what it misses and until when it is good, and recovers when the file is put back', async () => {
    await using bench = identityServer();
    using own = await Certified.start(bench, workload);
    await eventually(() => expect(own.obtained).toBe(1));
    const first = own.serial;
    own.removeToken();
    await step(own.clock, renewalMs);
    const kept = 'certificate not renewed; the present one stays in use';
    await eventually(() => expect(own.log.withMessage(kept)).not.toEqual([]));
    expect(own.log.withMessage(kept)[0]?.fields).toMatchObject({ code: 'token_unreadable' });
    expect(own.readiness.ready).toBe(true);
    expect(own.readiness.report()).toMatch(
      new RegExp(
        `degraded: certificate: not renewed, good until .*: expected a token in ${own.tokenFile}: ENOENT`,
      ),
    );
    expect([own.serial, own.obtained]).toEqual([first, 1]);

    own.putToken();
    await passing(own.clock, () => expect(own.obtained).toBe(2));
    expect(own.serial).not.toBe(first);
    expect(own.readiness.report()).toBe('ready\n');
  });

  it('takes an empty file for none, and recovers when there is a token in it', async () => {
    await using bench = identityServer();
    using own = await Certified.start(bench, workload);
    await eventually(() => expect(own.obtained).toBe(1));
    writeFileSync(own.tokenFile, '\n');
    await step(own.clock, renewalMs);
    await eventually(() => expect(own.readiness.report()).toContain('got an empty file'));
    own.putToken();
    await passing(own.clock, () => expect(own.obtained).toBe(2));
  });
});
