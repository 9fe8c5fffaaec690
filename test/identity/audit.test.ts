import { Audit } from '../../src/identity/audit.ts';
import { identityErrors } from '../../src/identity/errors.ts';
import { identityMetrics } from '../../src/identity/identity-metrics.ts';
import type { VerifiedToken } from '../../src/identity/token/token-verifier.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { LogCapture } from '../support/log-capture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { clientIdentity as web } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

const caller = { address: '10.0.0.1', name: undefined };
const token: VerifiedToken = {
  ...{ namespace: 'shop', serviceAccount: 'web', subject: 'system:serviceaccount:shop:web' },
  ...{ issuer: 'https://kubernetes.default.svc', audience: 'identity.l5d.io', expiresAt: new Date(0) },
  ...{ podName: 'web-0', podUid: 'u-1', nodeName: 'n-1', credentialId: 'JTI=j-1' },
};

class Bench {
  readonly log = new LogCapture();
  readonly clock = new ManualClock();
  readonly events: unknown[][] = [];
  readonly audit = new Audit(this.log, identityMetrics(new Metrics()), this.clock, {
    given: (...told) => void this.events.push(['given', ...told]),
    refused: (...told) => void this.events.push(['refused', ...told]),
  });
}

describe('Audit', () => {
  it('records what the token says of pod, node and itself, and tells of the certificate', () => {
    const { audit, log, events } = new Bench();
    const ca = TestCa.create();
    const trail = audit.open(web.dnsName, caller);
    trail.token(token);
    trail.identity(web);
    trail.given({ leaf: ca.certificate, intermediates: [ca.certificate] });
    expect(log.withMessage('certificate given')[0]?.fields).toMatchObject({
      ...{ podName: 'web-0', podUid: 'u-1', nodeName: 'n-1', credentialId: 'JTI=j-1' },
      fingerprint: ca.certificate.fingerprint,
    });
    expect(events).toEqual([['given', web, ca.certificate]]);
  });

  it('tells of a refusal with the identity that was proved, if one was', () => {
    const { audit, events } = new Bench();
    audit.open(web.dnsName, caller).refused(identityErrors.error('token_refused', 'no'));
    const trail = audit.open(web.dnsName, caller);
    trail.token(token);
    trail.identity(web);
    trail.refused(new Error('a bug'));
    expect(events).toEqual([
      ['refused', undefined, 'token_refused', 'no'],
      ['refused', web, 'internal', 'a bug'],
    ]);
  });

  it('sums up those that the API server could not be asked about', async () => {
    const { audit, log, clock } = new Bench();
    for (let count = 0; count < 100; count++) {
      audit.open(web.dnsName, caller).refused(identityErrors.error('token_review_unavailable', 'away'));
    }
    await clock.advance(10_000);
    expect(log.withMessage('certificate refused')).toHaveLength(10);
    expect(log.withMessage('certificate refused again')[0]?.fields).toMatchObject({ more: 90 });
  });
});
