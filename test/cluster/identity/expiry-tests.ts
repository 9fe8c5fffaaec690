import { expiringNow } from '../../../src/identity/cluster/expiring.ts';
import { identitySettings } from '../../../src/identity/settings.ts';
import { ExpiryAlerts } from '../../../src/kube/expiry-alerts.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestLeaf } from '../../support/test-ca.ts';
import { account, settings } from './control-namespace.ts';
import type { RunningIdentity, ShownEvent } from './running-identity.ts';

const day = 86_400_000;
const reason = 'CertificateNearsEnd';

/** A leaf, as a webhook has one, that lives a year and ends in so many days. */
export function endingIn(days: number): TestLeaf {
  const notAfter = new Date(Date.now() + days * day);
  return TestCa.create().leaf({ notBefore: new Date(notAfter.getTime() - 365 * day), notAfter });
}

/** The Secret that a webhook has its certificate in. */
export const webhookSecret = ({ certificate }: TestLeaf): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { name: 'kedge-webhook' },
  stringData: { 'tls.crt': certificate.pem, 'tls.key': 'of no concern' },
});

async function warningsOf(identity: RunningIdentity, about: string): Promise<ShownEvent[]> {
  const events = await identity.eventsIn('kedge');
  return events.filter((event) => event.reason === reason && event.involvedObject.name === about);
}

/** Warnings before something ends. */
export function expiryTests(identity: RunningIdentity): void {
  const { cluster } = identity;

  it('come once at 60, 14 and 3 days for anchor, issuer and webhook, of two replicas and one that starts again', async () => {
    const client = await cluster.clientAs(account);
    const clock = new ManualClock();
    const start = clock.now().getTime();
    const life = { notBefore: new Date(start - 300 * day), notAfter: new Date(start + 65 * day) };
    const ca = TestCa.create(life);
    const { fingerprint, notBefore, notAfter } = ca.intermediate(life).certificate;
    const webhook = ca.leaf(life).certificate;
    const names = { KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'anchors', KEDGE_ISSUER_LOCAL_SECRET: 'issuer' };
    const config = readEnvironment(identitySettings, {
      ...{ ...settings, ...names, KEDGE_WEBHOOK_CERTIFICATE_SECRET: 'webhook' },
    });
    const service = { apiVersion: 'apps/v1', kind: 'Deployment', ...account };
    const issuer = { state: 'ready', fingerprint, notBefore, notAfter } as const;
    const expiring = () => expiringNow(config, service, { anchors: ca.bundle, issuer, webhook });
    const log = new LogCapture();
    const begin = (instance: string): AbortController => {
      const ended = new AbortController();
      const who = { controller: 'kedge-identity', instance };
      void new ExpiryAlerts({ client, ...who, expiring, clock, log }).run(ended.signal);
      return ended;
    };
    const told = async (days: readonly number[]): Promise<void> => {
      await clock.advance(0);
      await eventually(async () => {
        for (const about of ['anchors', 'issuer', 'webhook']) {
          const each = (await warningsOf(identity, about)).map(
            ({ message }) => /within (\d+) days/.exec(message)?.[1],
          );
          expect(each.map(Number).toSorted((a, b) => b - a)).toEqual(days);
        }
      });
    };
    /** Time passes in steps, since a write takes time of another clock. */
    const pass = async (days: number, replicas: number): Promise<void> => {
      await clock.advance(days * day);
      await eventually(() => expect(clock.pending).toBe(replicas));
      await clock.advance(day / 12);
      await eventually(() => expect(clock.pending).toBe(replicas));
    };

    const running = [begin('one'), begin('two')];
    await pass(2, 2);
    await told([]);
    await pass(4, 2);
    await told([60]);
    running.shift()?.abort();
    running.push(begin('one'));
    await pass(0, 2);
    await told([60]);
    await pass(46, 2);
    await told([60, 14]);
    await pass(11, 2);
    await told([60, 14, 3]);
    running.push(begin('three'));
    await pass(1, 3);
    await told([60, 14, 3]);
    for (const each of running) each.abort();
    const types = new Set((await warningsOf(identity, 'webhook')).map(({ type }) => type));
    expect(types).toEqual(new Set(['Warning']));
  }, 120_000);
}

/** Those of the processes, which come a minute after their start. */
export function processExpiryTests(identity: RunningIdentity): void {
  it('warns of the end of the certificate in the Secret of a webhook, once for all replicas', async () => {
    // A minute after the start of a process.
    await eventually(
      async () => expect(await warningsOf(identity, 'kedge-webhook')).toHaveLength(1),
      120_000,
    );
    const [warning] = await warningsOf(identity, 'kedge-webhook');
    expect(warning?.involvedObject.kind).toBe('Secret');
    expect(warning?.message).toMatch(
      /^the webhook certificate \w{16} ends at .*, within 14 days; replace it/,
    );
    for (const replica of identity.replicas) {
      await eventually(
        () => expect(replica.withMessage('a certificate nears its end')).toHaveLength(1),
        90_000,
      );
    }
    expect(await warningsOf(identity, 'kedge-webhook')).toHaveLength(1);
  }, 240_000);
}
