// Loaded into a process before its own program: at each SIGUSR2 it collects its garbage and writes a line among those of the
// log that says how much is left, in bytes; resident memory alone says more of the collector than of a leak.
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const line = { level: 'info', message: 'garbage collected', left: heapUsed + external };
  process.stdout.write(`${JSON.stringify(line)}\n`);
});
