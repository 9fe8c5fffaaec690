import { eventually } from '../../../support/eventually.ts';
import { clientIdentity } from '../../../support/rpc-server.ts';
import type { Behaviour } from '../behaviour.ts';
import { fault } from '../behaviour.ts';
import { hourMs } from '../open-issuer.ts';

export const states = [
  {
    name: 'is not ready before there is a CA, says why, and becomes so by itself',
    run: async ({ open }) => {
      const subject = await open({ empty: true });
      const { opened } = subject;
      expect(opened.issuer.state.value).toMatchObject({ state: 'unavailable' });
      await expect(opened.ask()).rejects.toMatchObject({ kind: 'unavailable' });
      await fault(subject, 'arrive')();
      await eventually(() => expect(opened.issuer.state.value).toMatchObject({ state: 'ready' }));
      await eventually(() => opened.ask());
    },
  },
  {
    name: 'says when the CA ends, in its state and by a metric',
    run: async ({ open }) => {
      const { opened } = await open({ caEndsInMs: 2 * hourMs });
      const seconds = await eventually(async () => {
        // Some CAs are known only by what they have signed.
        await opened.ask();
        const state = opened.issuer.state.value;
        if (state.state !== 'ready') throw new Error(state.reason);
        expect(Math.abs(state.notAfter.getTime() - Date.now() - 2 * hourMs)).toBeLessThan(120_000);
        return /^issuer_cert_ttl_seconds (.+)$/m.exec(await opened.metricsText())?.[1];
      });
      expect(Math.abs(Number(seconds) - 7_200)).toBeLessThan(120);
    },
  },
  {
    name: 'counts each certificate by its result, with the time it took',
    run: async ({ open }) => {
      const { opened } = await open();
      await opened.ask();
      await opened.ask({ identity: clientIdentity });
      const text = await opened.metricsText();
      expect(text).toContain('kedge_issuer_requests_total{result="ok"} 2\n');
      expect(text).toContain('kedge_issuer_request_seconds_count{result="ok"} 2\n');
    },
  },
] as const satisfies readonly Behaviour[];
