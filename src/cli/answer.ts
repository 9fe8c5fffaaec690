import type { Paint } from './table.ts';

export type OutputFormat = 'text' | 'json';

/** What a command found out: for people, for programs, and whether the command did what was asked. */
export interface Answer {
  readonly ok: boolean;
  /** The exit code, where it is neither 0 nor 1. */
  readonly code?: number;
  readonly json: unknown;
  text(paint: Paint): string;
}
