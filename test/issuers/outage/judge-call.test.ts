import { certManagerErrors } from '../../../src/issuers/cert-manager/errors.ts';
import { CircuitBreaker } from '../../../src/issuers/outage/circuit-breaker.ts';
import { judgeCall } from '../../../src/issuers/outage/judge-call.ts';
import { ManualClock } from '../../support/manual-clock.ts';

type Code = keyof typeof certManagerErrors.codes;

/** A breaker after so many calls that failed with this. */
function after(calls: number, code: Code, breaker = new CircuitBreaker({ clock: new ManualClock() })) {
  for (let n = 0; n < calls; n++) judgeCall(breaker.begin(), certManagerErrors.error(code, 'expected'), 0);
  return breaker;
}

describe('judgeCall', () => {
  it.each<Code>([
    'certificate_request_pending',
    'certificate_request_not_made',
    'certificate_requests_failing',
  ])('counts %s against the CA', (code) => {
    expect(after(5, code).state.value.state).toBe('open');
  });

  it.each<Code>(['certificate_request_failed', 'certificate_requests_full'])(
    'learns nothing of the CA from %s: neither that it is away nor that it is there',
    async (code) => {
      expect(after(100, code).state.value.state).toBe('closed');
      const clock = new ManualClock();
      const breaker = after(4, 'certificate_request_pending', new CircuitBreaker({ clock }));
      after(1, 'certificate_request_pending', after(3, code, breaker));
      expect(breaker.state.value.state).toBe('open');
      await clock.advance(3_000);
      after(10, code, breaker);
      expect(breaker.state.value.state).toBe('half-open');
      expect(breaker.admits).toBe(true);
    },
  );
});
