import { groups, keepsSecrets } from './behaviours.ts';
import type { RowGroup } from './page.ts';

/** The columns of the table, in order; each is the name of a column that a test of this folder runs. */
export const columnNames = [
  'local, directory',
  'local, Secret',
  'vault direct, OpenBao',
  'vault intermediate, OpenBao',
  'vault direct, Vault',
  'vault intermediate, Vault',
  'cert-manager direct',
  'cert-manager intermediate',
  'scripted',
] as const;

export type ColumnName = (typeof columnNames)[number];

/** The rows of the table, in order. */
export const rowGroups: readonly RowGroup[] = [
  ...groups.map(({ title, behaviours }) => ({ title, rows: behaviours.map(({ name }) => name) })),
  { title: 'Secrets', rows: [keepsSecrets] },
];
