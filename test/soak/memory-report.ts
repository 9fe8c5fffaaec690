// Loaded into each process of Kedge before its own program: writes down what the process holds, garbage collected first,
// since resident memory alone says more of the collector than of a leak. Usage: MEMORY_REPORT=DIRECTORY node --import ...
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Sample } from './growth.ts';

const everyMs = 2_000;
const directory = process.env['MEMORY_REPORT'];

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

function report(file: string): void {
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  // Less the one that reading the directory takes.
  const descriptors = readdirSync('/dev/fd').length - 1;
  const sample: Sample = { atMs: Date.now(), heap: heapUsed + external, resident: rss, descriptors };
  writeFileSync(`${file}.next`, JSON.stringify(sample));
  renameSync(`${file}.next`, file);
}

if (directory !== undefined) {
  const file = path.join(directory, `${process.pid}.json`);
  setInterval(() => report(file), everyMs).unref();
}
