import { setTimeout as pause } from 'node:timers/promises';
import { readEnvironment } from '../../src/runtime/env.ts';
import { runProcess, type ProcessContext } from '../../src/runtime/lifecycle.ts';
import { integer, text } from '../../src/runtime/settings.ts';

const never = (): Promise<void> => new Promise(() => undefined);

/** What the process under test does, by the name on its command line. */
const programs: Readonly<Record<string, (context: ProcessContext) => Promise<void>>> = {
  orderly: async ({ log, onClose, signal, readiness }) => {
    log.info({ ready: readiness.report() }, 'starting');
    for (const name of ['a', 'b']) {
      onClose(name, async () =>
        log.info({ name, aborted: signal.aborted, ready: readiness.report() }, 'closing'),
      );
    }
  },
  stuck: async ({ onClose, setGracePeriod }) => {
    setGracePeriod(20);
    onClose('stuck', never);
  },
  patient: async ({ onClose, setGracePeriod, log }) => {
    setGracePeriod(600_000);
    onClose('stuck', () => {
      log.info({}, 'draining');
      return never();
    });
  },
  'bad-configuration': async ({ env }) => {
    const name = text({ name: 'FIXTURE_NAME', help: '', required: true });
    const count = integer({ name: 'FIXTURE_COUNT', help: '', min: 1 });
    readEnvironment({ name, count }, { ...env, FIXTURE_COUNT: 'no\nne' });
  },
  'bad-start': async ({ onClose, log }) => {
    onClose('half', async () => log.info({}, 'half closed'));
    throw new Error('no such key', { cause: new Error('file missing') });
  },
  'endless-start': async ({ log }) => {
    log.info({}, 'starting');
    await never();
  },
  'cut-short': async ({ log, clock, signal }) => {
    log.info({}, 'starting');
    await clock.sleep(600_000, signal);
  },
  background: async ({ clock, signal, onClose, log }) => {
    void clock.sleep(600_000, signal);
    // The rejection of the sleep is raised before this wait is over.
    onClose('part', () => pause(1).then(() => log.info({}, 'closing')));
  },
  rejecting: async ({ onClose, log }) => {
    onClose('never reached', async () => log.info({}, 'closing'));
    void pause(1).then(() => Promise.reject(new Error('forgotten')));
  },
  throwing: async () => {
    setTimeout(() => {
      throw new Error('unforeseen');
    }, 1);
  },
};

const program = programs[process.argv[2] ?? ''];
if (program === undefined) throw new TypeError('expected the name of a program');
await runProcess('fixture', program);
