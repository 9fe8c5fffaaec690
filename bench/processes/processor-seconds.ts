import { readFileSync } from 'node:fs';

/** Linux tells processor time to programs in hundredths of a second, whatever it counts in itself. */
const ticksPerSecond = 100;

/** Processor time that all threads of a process have spent so far, in user and in kernel mode. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, second, may hold blanks; user and system time are the 14th and 15th field.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / ticksPerSecond;
}
