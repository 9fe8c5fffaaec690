import { eventually } from '../../../support/eventually.ts';
import type { Behaviour } from '../behaviour.ts';
import { hourMs } from '../open-issuer.ts';

/** A CA that is asked for seconds counts them from when it has got round to it. */
const toleranceMs = 60_000;

export const lifetimes = [
  {
    name: 'gives the lifetime that is asked for, valid at once',
    run: async ({ open }) => {
      const { opened } = await open();
      const { leaf, request } = await opened.ask({ lifetimeMs: 2 * hourMs });
      expect(leaf.notBefore.getTime()).toBeLessThanOrEqual(Date.now());
      const missing = request.notAfter.getTime() - leaf.notAfter.getTime();
      expect(missing).toBeGreaterThanOrEqual(0);
      expect(missing).toBeLessThan(toleranceMs);
    },
  },
  {
    name: 'gives no longer than the CA lasts, whatever is asked for',
    run: async ({ open }) => {
      const { opened } = await open({ caEndsInMs: 2 * hourMs });
      // A CA whose end is known only by what it signs may sign one that is thrown away.
      const { leaf, intermediates } = await eventually(() => opened.ask({ lifetimeMs: 24 * hourMs }));
      for (const { notAfter } of intermediates) {
        expect(leaf.notAfter.getTime()).toBeLessThanOrEqual(notAfter.getTime());
      }
      expect(leaf.notAfter.getTime()).toBeLessThanOrEqual(Date.now() + 2 * hourMs);
    },
  },
  {
    name: 'takes a shorter life by the rules of the CA, and says so',
    run: async ({ open }) => {
      const { opened } = await open({ maxLifetimeMs: hourMs });
      const { leaf } = await opened.ask({ lifetimeMs: 3 * hourMs });
      expect(leaf.notAfter.getTime()).toBeLessThanOrEqual(Date.now() + hourMs + toleranceMs);
      expect(opened.log.withMessage('the CA gives certificates that end sooner than asked')).toHaveLength(1);
      expect(await opened.metricsText()).toContain('kedge_issuer_shortened_total 1\n');
    },
  },
] as const satisfies readonly Behaviour[];
