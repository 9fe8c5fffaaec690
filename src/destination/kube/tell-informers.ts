import type { Informer } from '../../kube/informer.ts';
import type { Readiness } from '../../runtime/readiness.ts';

const NAME = 'kubernetes';

/**
 * Not ready before everything has been seen once. From then on a kind that cannot be followed makes the process
 * degraded and nothing worse: what is known of it stays in use.
 */
export function tellInformers(
  informers: Readonly<Record<string, Pick<Informer<unknown>, 'synced' | 'problem'>>>,
  readiness: Readiness,
): void {
  const gate = readiness.gate(NAME);
  const all = Object.entries(informers);
  const tell = () => {
    const unseen = all.filter(([, { synced }]) => !synced.value).map(([kind]) => kind);
    const problems = all.flatMap(([, { problem }]) => problem.value ?? []);
    const reasons = [...new Set(problems)].join('; ');
    if (unseen.length > 0) {
      gate.close(`not listed yet: ${unseen.join(', ')}${reasons === '' ? '' : ` (${reasons})`}`);
      return;
    }
    gate.open();
    readiness.degraded(NAME, reasons === '' ? undefined : reasons);
  };
  for (const [, { synced, problem }] of all) {
    synced.subscribe(tell);
    problem.subscribe(tell);
  }
  tell();
}
