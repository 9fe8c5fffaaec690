import { readdirSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** What tells one namespace from another, or undefined where there is none (any more). */
function namespaceAt(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

/**
 * Ids of the processes that live in the network namespaces which the files are mounts of. A file that is no such mount has no
 * inhabitants, and this process's own namespace is never meant.
 */
export function inhabitants(files: readonly string[]): number[] {
  const own = namespaceAt('/proc/self/ns/net');
  const wanted = new Set(files.map(namespaceAt).filter((each) => each !== undefined && each !== own));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && wanted.has(networkOf(name)))
    .map(Number);
}

function networkOf(pid: string): string | undefined {
  try {
    return namespaceAt(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // ended meanwhile
  }
}

/**
 * Ends every process in the namespaces, and those that they start meanwhile. Needs no record of what was started, so it also
 * ends what a crashed run left behind: the containers' own processes among them.
 */
export async function endInhabitants(files: readonly string[]): Promise<void> {
  for (let rounds = 0; rounds < 200; rounds += 1) {
    const left = inhabitants(files);
    if (left.length === 0) return;
    left.forEach(kill);
    await pause(50);
  }
  throw new Error(
    `expected the processes of the network to end, these did not: ${inhabitants(files).join()}`,
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
