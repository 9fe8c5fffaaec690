import type { Latest } from '../runtime/latest.ts';
import type { Readiness } from '../runtime/readiness.ts';
import type { Source } from './file-source.ts';

/** Opens a gate once there is a first value; it never closes again, since what was loaded stays in use. */
export function gateOn<T>(
  readiness: Readiness,
  name: string,
  value: Latest<T>,
  isThere: (value: T) => boolean,
): void {
  const gate = readiness.gate(name);
  const look = (): void => {
    if (!isThere(value.value)) return;
    gate.open();
    unsubscribe();
  };
  const unsubscribe = value.subscribe(look);
  look();
}

/** A gate for the first value of a source, and a degradation while there is a problem with a newer one. */
export function gateOnSource<T>(readiness: Readiness, name: string, source: Source<T>): void {
  gateOn(readiness, name, source.current, (value) => value !== undefined);
  const tell = (problem: string | undefined): void => readiness.degraded(name, problem);
  source.problem.subscribe(tell);
  tell(source.problem.value);
}
