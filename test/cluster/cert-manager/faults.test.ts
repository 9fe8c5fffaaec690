import { setTimeout as pause } from 'node:timers/promises';
import { certificateRequests } from '../../../src/kube/resources.ts';
import { isAppError } from '../../../src/runtime/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { askFor, Issuing, Trial } from './issuing.ts';
import type { IssuingOptions } from './issuing.ts';
import { caIssuer } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';
import { Requests } from './requests.ts';

const { signal } = new AbortController();

onCertManager(
  'a real cert-manager that fails',
  (rig) => {
    const root = TestCa.create();

    async function begin(namespace: string, options: Partial<IssuingOptions> = {}): Promise<Trial> {
      const { cluster } = rig;
      await cluster.createNamespace(namespace);
      await caIssuer(cluster, { namespace, name: 'kedge', ca: root });
      const issuing = await Issuing.begin(cluster, {
        mode: 'direct',
        namespace,
        anchors: root.bundle,
        ...options,
      });
      return new Trial(issuing, new Requests(cluster, namespace));
    }

    it('answers what was asked while its controller stood still for a minute, to whoever comes back with the same key', async () => {
      const clock = new ManualClock(new Date(Date.now() + 10_000));
      await using bench = await begin('stopped', { clock });
      const { issuing, requests } = bench;
      await rig.certManager.stopController();
      const ask = askFor();
      for (let minute = 0; minute < 60_000; minute += 15_000) {
        const late = refusalOf(issuing.issuer.issue(ask, signal));
        await requests.only();
        await clock.advance(15_000);
        expect(await late).toMatch(/^certificate_request_pending: /);
      }
      const answered = issuing.issuer.issue(ask, signal);
      await requests.only();
      await rig.certManager.startController();
      await answered;
      await requests.gone();
    }, 60_000);

    it('is asked again when its webhook is back', async () => {
      await using bench = await begin('webhook');
      const { issuing, requests } = bench;
      await rig.certManager.killWebhook();
      expect(await refusalOf(issuing.issuer.issue(askFor(), signal))).toMatch(
        /^certificate_request_not_made: .* answered 500: .*failed calling webhook "webhook.cert-manager.io"/,
      );
      await rig.certManager.startWebhook();
      await issuing.issuer.issue(askFor(), signal);
      await requests.gone();
    });

    it('is asked anew for a request that somebody deleted', async () => {
      await using bench = await begin('deleted');
      const { issuing, requests } = bench;
      await rig.certManager.stopController();
      const answered = issuing.issuer.issue(askFor(), signal);
      const first = await requests.only();
      await requests.delete(first);
      await requests.only(first);
      await rig.certManager.startController();
      await answered;
      await requests.gone();
    });

    it('names an issuer that is not there, and signs when it comes', async () => {
      const clock = new ManualClock(new Date(Date.now() + 10_000));
      const settings = { KEDGE_CERT_MANAGER_ISSUER_NAME: 'later' };
      await using bench = await begin('absent', { clock, settings });
      const { issuing, requests } = bench;
      const ask = askFor();
      const late = refusalOf(issuing.issuer.issue(ask, signal));
      await eventually(async () =>
        expect((await requests.only()).status?.conditions?.map(({ reason }) => reason)).toContain('Pending'),
      );
      await clock.advance(9_000);
      expect(await late).toMatch(/^certificate_request_pending: .*Pending: .*later.* not found/);
      await caIssuer(rig.cluster, { namespace: 'absent', name: 'later', ca: root });
      await issuing.issuer.issue(ask, signal);
      await requests.gone();
    });

    it('refuses by its webhook what is invalid, with a code that counts as final', async () => {
      const { cluster } = rig;
      const namespace = await cluster.createNamespace('invalid');
      const spec = { request: Buffer.from('none').toString('base64'), issuerRef: { name: 'kedge' } };
      const made = (await cluster.client()).create(
        certificateRequests,
        { namespace },
        { metadata: { name: 'none' }, spec },
        signal,
      );
      expect(await refusalOf(made)).toMatch(
        /^kube_invalid: create certificaterequests: .* 406: admission webhook "webhook.cert-manager.io" denied the request/,
      );
    });

    it('is asked on while its API server restarts and forgets its history', async () => {
      await using bench = await begin('restarted');
      const { issuing, requests } = bench;
      await issuing.issuer.issue(askFor(), signal);
      await requests.gone();
      await rig.cluster.kill();
      expect(await refusalOf(issuing.issuer.issue(askFor(), signal))).toMatch(
        /^certificate_request_not_made: /,
      );
      await rig.cluster.restart();
      await rig.cluster.compact();
      await rig.cluster.restart();
      await eventually(() => issuing.issuer.issue(askFor(), signal));
      await requests.gone();
    }, 60_000);

    it('is not asked without the rights, and is again when they are back', async () => {
      const { cluster } = rig;
      await using bench = await begin('rights');
      const { issuing, requests } = bench;
      const binding = await cluster.kubectl([
        'get',
        'rolebinding',
        'kedge-identity',
        '-n',
        'rights',
        '-o',
        'json',
      ]);
      await cluster.kubectl(['delete', 'rolebinding', 'kedge-identity', '-n', 'rights']);
      await eventually(async () =>
        expect(await refusalOf(issuing.issuer.issue(askFor(), signal))).toMatch(
          /^certificate_request_not_made: .* 403: .*cannot create resource "certificaterequests"/,
        ),
      );
      await cluster.kubectl(['apply', '-f', '-'], { input: binding });
      await eventually(() => issuing.issuer.issue(askFor(), signal));
      await requests.gone();
    });

    it('answers each of 1,000 that ask at once, some when they come back, and never has more requests than the limit', async () => {
      const settings = { KEDGE_CERT_MANAGER_MAX_REQUESTS: '64', KEDGE_ISSUER_CONCURRENCY: '60' };
      await using bench = await begin('many', { settings });
      const { issuing, requests } = bench;
      let [waiting, putOff, most] = [1000, 0, 0];
      const ask = async (number: number): Promise<void> => {
        const request = askFor({ name: `web-${number}` });
        for (;;) {
          try {
            await issuing.issuer.issue(request, signal);
            waiting -= 1;
            return;
          } catch (error) {
            if (!isAppError(error) || error.kind !== 'unavailable') throw error;
            expect(error.retryAfterMs).toBeGreaterThan(0);
            putOff += 1;
            await pause((error.retryAfterMs ?? 0) * (1 + Math.random()));
          }
        }
      };
      const watch = async (): Promise<void> => {
        while (waiting > 0) {
          most = Math.max(most, (await requests.all()).length);
          await pause(50);
        }
      };
      const all = Promise.all(Array.from({ length: 1000 }, (_, number) => ask(number)));
      await Promise.all([all.finally(() => (waiting = 0)), watch()]);
      expect(most).toBeLessThanOrEqual(64);
      expect(putOff).toBeGreaterThan(0);
      await requests.gone();
    }, 300_000);
  },
  { callsPerSecond: 400 },
);
