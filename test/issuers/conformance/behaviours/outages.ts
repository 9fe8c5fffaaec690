import { isAppError } from '../../../../src/runtime/errors.ts';
import { eventually } from '../../../support/eventually.ts';
import type { Behaviour } from '../behaviour.ts';
import { fault } from '../behaviour.ts';
import type { Given } from '../open-issuer.ts';

export const outages = [
  {
    name: 'waits for a silent CA no longer than its deadline, and has the workload come back',
    run: async ({ open }) => {
      const subject = await open({ timeoutMs: 1_000 });
      const end = await fault(subject, 'silence')();
      expect(await unavailable(subject.opened.ask())).toBeGreaterThan(0);
      await end();
      await eventually(() => subject.opened.ask());
    },
  },
  {
    name: 'gives up a request at once when the workload has gone, and leaves none behind at the CA',
    run: async ({ open }) => {
      const subject = await open({ timeoutMs: 60_000 });
      const openCalls = fault(subject, 'openCalls');
      const end = await fault(subject, 'silence')();
      const caller = new AbortController();
      const answer = subject.opened.ask({ signal: caller.signal });
      const gone = expect(answer).rejects.toThrow('the workload has gone');
      await eventually(async () => expect(await openCalls()).toBe(1));
      caller.abort(new Error('the workload has gone'));
      await gone;
      await eventually(async () => expect(await openCalls()).toBe(0));
      await end();
    },
  },
  {
    name: 'has the workload come back while the CA is away, and signs again by itself once it is there',
    run: async ({ open }) => {
      const subject = await open({ timeoutMs: 5_000 });
      const end = await fault(subject, 'takeAway')();
      expect(await unavailable(subject.opened.ask())).toBeGreaterThan(0);
      await end();
      await eventually(() => subject.opened.ask());
    },
  },
  {
    name: 'signs on while the CA is away',
    run: async ({ open }) => {
      const subject = await open();
      const end = await fault(subject, 'takeAway')();
      await subject.opened.ask();
      await end();
    },
  },
] as const satisfies readonly Behaviour[];

/** Milliseconds after which the workload shall come back. */
async function unavailable(answer: Promise<Given>): Promise<number> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isAppError(error) || error.kind !== 'unavailable') {
    throw new Error('expected to be told that there is no CA now', { cause: error });
  }
  return error.retryAfterMs ?? 0;
}
