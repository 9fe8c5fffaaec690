import type { Latest } from '../runtime/latest.ts';
import type { Readiness } from '../runtime/readiness.ts';

/** As much of a loaded file as its readiness depends on. */
export interface FileState {
  readonly catalogue: Latest<object | undefined>;
  readonly problem: Latest<string | undefined>;
}

const NAME = 'destination-file';

/** Not ready before the first good content; from then on a bad file makes the process degraded and nothing worse. */
export function tellFileState(file: FileState, readiness: Readiness): void {
  const gate = readiness.gate(NAME);
  const tell = () => {
    const { value: problem } = file.problem;
    if (file.catalogue.value !== undefined) {
      gate.open();
      readiness.degraded(NAME, problem);
    } else if (problem !== undefined) {
      gate.close(problem);
    }
  };
  file.catalogue.subscribe(tell);
  file.problem.subscribe(tell);
  tell();
}
