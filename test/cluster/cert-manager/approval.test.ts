import { ManualClock } from '../../support/manual-clock.ts';
import { refusalOf } from '../../support/refusal.ts';
import { TestCa } from '../../support/test-ca.ts';
import { testDoctorWithPolicy } from './doctor-tests.ts';
import { askFor, Issuing, Trial } from './issuing.ts';
import { caIssuer } from './objects.ts';
import type { Condition } from './objects.ts';
import { onCertManager } from './on-cert-manager.ts';
import { Requests } from './requests.ts';

const { signal } = new AbortController();
const approved: Condition = {
  type: 'Approved',
  status: 'True',
  reason: 'test',
  message: 'as an approver would',
};

/** One that stands still, and is a little ahead of cert-manager's, as certificates begin when they are signed. */
const aheadClock = (): ManualClock => new ManualClock(new Date(Date.now() + 10_000));

onCertManager(
  'a real cert-manager that approves nothing by itself',
  (rig) => {
    const root = TestCa.create();

    testDoctorWithPolicy(rig);

    async function begin(namespace: string, clock = aheadClock()): Promise<Trial> {
      const { cluster } = rig;
      await cluster.createNamespace(namespace);
      await caIssuer(cluster, { namespace, name: 'kedge', ca: root });
      const issuing = await Issuing.begin(cluster, {
        mode: 'direct',
        namespace,
        anchors: root.bundle,
        clock,
      });
      return new Trial(issuing, new Requests(cluster, namespace));
    }

    it('gives the certificate once somebody approves', async () => {
      await using bench = await begin('approved');
      const { issuing, requests } = bench;
      const answered = issuing.issuer.issue(askFor(), signal);
      const made = await requests.only();
      expect(made.status?.conditions ?? []).toEqual([]);
      await requests.decide(made, [approved]);
      expect((await answered).leaf.isCa).toBe(false);
      await requests.gone();
    });

    it('tells that it was denied, and why', async () => {
      await using bench = await begin('denied');
      const { issuing, requests } = bench;
      const told = refusalOf(issuing.issuer.issue(askFor(), signal));
      const made = await requests.only();
      await requests.decide(made, [
        { type: 'Denied', status: 'True', reason: 'test', message: 'not this name' },
      ]);
      expect(await told).toBe(
        `certificate_request_refused: expected the CertificateRequest ${made.metadata.name} to be signed, got none: it was denied (test: not this name)`,
      );
      await requests.gone();
    });

    it('says at the deadline that nobody approved, and gives what was approved meanwhile to whoever asks again', async () => {
      const clock = aheadClock();
      await using bench = await begin('late', clock);
      const { issuing, requests } = bench;
      const ask = askFor();
      const late = refusalOf(issuing.issuer.issue(ask, signal));
      const made = await requests.only();
      await clock.advance(9_000);
      expect(await late).toMatch(/^certificate_request_pending: .* nobody has approved or denied it yet$/);
      await requests.decide(made, [approved]);
      const answered = issuing.issuer.issue(ask, signal);
      await answered;
      await requests.gone();
    });

    it('removes its request when the caller has gone', async () => {
      await using bench = await begin('cancelled');
      const { issuing, requests } = bench;
      const caller = new AbortController();
      const answered = issuing.issuer.issue(askFor(), caller.signal);
      await requests.only();
      caller.abort(new Error('gone'));
      await expect(answered).rejects.toThrow('gone');
      await requests.gone();
    });

    // What a controller of another kind of issuer would write: none of those is at hand.
    it.each<[string, Condition, RegExp]>([
      [
        'that an issuer failed',
        { type: 'Ready', status: 'False', reason: 'Failed', message: 'Vault answered 503' },
        /^certificate_request_failed: .* the issuer failed \(Failed: Vault answered 503\)$/,
      ],
      [
        'that an issuer finds the request invalid',
        { type: 'InvalidRequest', status: 'True', reason: 'NoUri', message: 'no URI' },
        /^certificate_request_refused: .* it is invalid to the issuer \(NoUri: no URI\)$/,
      ],
    ])('tells %s, and makes a fresh request the next time', async (what, condition, told) => {
      await using bench = await begin(what.replace(/[^a-z]+/g, '-'));
      const { issuing, requests } = bench;
      const ask = askFor();
      const refused = refusalOf(issuing.issuer.issue(ask, signal));
      const made = await requests.only();
      await requests.decide(made, [condition]);
      expect(await refused).toMatch(told);
      const answered = issuing.issuer.issue(ask, signal);
      await requests.decide(await requests.only(made), [approved]);
      await answered;
      await requests.gone();
    });

    it('leaves a request behind when it crashes, which another replica takes up', async () => {
      const namespace = 'crashed';
      const { issuing, requests } = await begin(namespace);
      const ask = askFor();
      const lost = issuing.issuer.issue(ask, signal).catch(() => undefined);
      const made = await requests.only();
      await issuing[Symbol.asyncDispose]();
      await using other = await Issuing.begin(rig.cluster, {
        mode: 'direct',
        namespace,
        anchors: root.bundle,
        replica: 'identity-1',
      });
      const answered = other.issuer.issue(ask, signal);
      await requests.decide(made, [approved]);
      await answered;
      await requests.gone();
      void lost;
    });

    it('sweeps what a crash has left when nobody comes back', async () => {
      const namespace = 'swept';
      const { issuing, requests } = await begin(namespace);
      void issuing.issuer.issue(askFor(), signal).catch(() => undefined);
      await requests.only();
      await issuing[Symbol.asyncDispose]();
      const clock = new ManualClock(new Date(Date.now() + 120_000));
      await using other = await Issuing.begin(rig.cluster, {
        mode: 'direct',
        namespace,
        anchors: root.bundle,
        clock,
      });
      await requests.gone();
      expect(other.issuer.state.value.state).toBe('ready');
    });
  },
  { autoApproval: false },
);
