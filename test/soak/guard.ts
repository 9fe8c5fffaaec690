// Ends the processes of the soak when the soak itself is gone, however it went: its standard input ends then.
// It is told of them by lines, `+PID` when one starts and `-PID` when one has ended.
import { createInterface } from 'node:readline';

const running = new Set<number>();

// A terminal's Ctrl-C is for the soak, which ends in order.
process.on('SIGINT', () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) running.add(pid);
  else running.delete(pid);
}
for (const pid of running) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
