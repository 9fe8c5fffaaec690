import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

export interface Mount {
  readonly point: string;
  /** `nsfs` for a namespace that is held by a file. */
  readonly type: string;
}

/** What is mounted below a directory, the deepest first. */
export function mountsBelow(directory: string): Mount[] {
  const prefix = path.join(directory, path.sep);
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, point = '', type = '']) => ({ point: plain(point), type }))
    .filter(({ point }) => point.startsWith(prefix))
    .toReversed();
}

/** Unmounts everything below a directory, in use or not. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const { point } of mountsBelow(directory)) await run(['umount', '--lazy', point]);
  const left = mountsBelow(directory);
  if (left.length > 0)
    throw new Error(`expected nothing mounted below ${directory}, got ${left[0]?.point ?? ''}`);
}

/** The kernel writes spaces and the like as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
