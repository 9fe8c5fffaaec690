import { execFile } from 'node:child_process';
import path from 'node:path';
import { isBuilt } from './binaries/go-build.ts';
import { helm, programOf } from './node/go-programs.ts';

/** The chart, which is all that ever installs Kedge. */
export const chart = path.join(import.meta.dirname, '..', '..', 'helm');

/** What is missing to run helm, in one line with how to get it; undefined when it can be run. */
export function missingHelm(): string | undefined {
  return isBuilt(helm) ? undefined : `needs ${helm.title}: npm run cluster -- build --api-only`;
}

/** What helm printed; rejects with what it said when it failed. Without a kubeconfig it reaches no cluster. */
export function runHelm(
  args: readonly string[],
  { kubeconfig = '/dev/null', input = '' }: { readonly kubeconfig?: string; readonly input?: string } = {},
): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, stdout: string, stderr: string): void => {
      if (error === null) resolve(stdout);
      else reject(new Error(`helm ${args[0] ?? ''}: ${stderr.trim()}\n${stdout}`.trim()));
    };
    const child = execFile(programOf(helm), args, { env, maxBuffer: 64 * 1024 * 1024 }, done);
    child.stdin?.end(input);
  });
}
