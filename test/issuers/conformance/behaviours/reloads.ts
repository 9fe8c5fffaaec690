import { eventually } from '../../../support/eventually.ts';
import type { Behaviour } from '../behaviour.ts';
import { fault } from '../behaviour.ts';

export const reloads = [
  {
    name: 'takes up a CA that was replaced in place, with no restart',
    run: async ({ open }) => {
      const subject = await open({ renewsSoon: true });
      const { opened } = subject;
      const before = await opened.ask();
      const next = await fault(subject, 'replace')();
      const after = await eventually(async () => {
        const given = await opened.ask();
        expect(given.intermediates[0]!.fingerprint).not.toBe(before.intermediates[0]!.fingerprint);
        return given;
      });
      if (next !== undefined) {
        expect(after.intermediates.map(({ fingerprint }) => fingerprint)).toContain(next.fingerprint);
      }
    },
  },
  {
    name: 'gives nothing of a CA whose anchor is not published, and says so',
    run: async ({ open }) => {
      const subject = await open({ renewsSoon: true });
      const { opened } = subject;
      const before = await opened.ask();
      await fault(subject, 'replaceByStranger')();
      await eventually(async () => {
        const given = await opened.ask().catch(() => undefined);
        if (given) expect(given.intermediates).toEqual(before.intermediates);
        const refused = /^kedge_issuer_(refused_answers|candidates)_total\{\w+="(chain|refused)"\} [1-9]/m;
        expect(await opened.metricsText()).toMatch(refused);
      });
      expect(opened.log.records.some(({ level }) => level === 'error' || level === 'warn')).toBe(true);
    },
  },
  {
    name: 'keeps the last good CA when the next is no good, and says so',
    run: async ({ open }) => {
      const subject = await open({ renewsSoon: true });
      const { opened } = subject;
      const before = await opened.ask();
      await fault(subject, 'spoil')();
      await eventually(() => expect(opened.issuer.state.value).toHaveProperty('degraded'));
      const { intermediates } = await opened.ask();
      expect(intermediates).toEqual(before.intermediates);
    },
  },
  {
    name: 'logs in again when its log-in no longer counts',
    run: async ({ open }) => {
      const subject = await open({ renewsSoon: true });
      await subject.opened.ask();
      await fault(subject, 'revokeLogin')();
      await eventually(() => subject.opened.ask());
    },
  },
] as const satisfies readonly Behaviour[];
