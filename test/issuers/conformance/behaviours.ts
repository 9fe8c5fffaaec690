import type { Behaviour } from './behaviour.ts';
import { chains } from './behaviours/chains.ts';
import { lifetimes } from './behaviours/lifetimes.ts';
import { names } from './behaviours/names.ts';
import { outages } from './behaviours/outages.ts';
import { refusals } from './behaviours/refusals.ts';
import { reloads } from './behaviours/reloads.ts';
import { states } from './behaviours/states.ts';
import { usages } from './behaviours/usages.ts';

/** Looked at over everything that the column has put out, when all else is done. */
export const keepsSecrets = 'shows no key, token or signing request in any log, error or metric';

const list = [
  { title: 'Names and key', behaviours: names },
  { title: 'Usages and serial', behaviours: usages },
  { title: 'Lifetime', behaviours: lifetimes },
  { title: 'Chain', behaviours: chains },
  { title: 'Refusals', behaviours: refusals },
  { title: 'Deadlines and outages', behaviours: outages },
  { title: 'Reload', behaviours: reloads },
  { title: 'State and metrics', behaviours: states },
] as const;

export type BehaviourName = (typeof list)[number]['behaviours'][number]['name'];

export interface BehaviourGroup {
  readonly title: string;
  readonly behaviours: readonly Behaviour[];
}

/** The one list of what every issuer does: the rows of the table, in groups. */
export const groups: readonly BehaviourGroup[] = list;

export const behaviours: readonly Behaviour[] = groups.flatMap((group) => group.behaviours);

/** All rows, that of the secrets last. */
export const rowNames: readonly string[] = [...behaviours.map(({ name }) => name), keepsSecrets];
