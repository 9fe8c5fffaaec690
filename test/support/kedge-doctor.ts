import { Writable } from 'node:stream';
import type { DoctorReport } from '../../src/cli/doctor/report.ts';
import { run } from '../../src/cli/run.ts';

export interface DoctorRun {
  readonly code: number;
  readonly text: string;
}

/** `kedge doctor issuer` with these settings; both streams in one. */
export async function doctor(env: Readonly<Record<string, string>>, ...args: string[]): Promise<DoctorRun> {
  let text = '';
  const stream = new Writable({
    write: (part: Buffer, _, done) => {
      text += part.toString();
      done();
    },
  });
  const code = await run(['doctor', 'issuer', ...args], { stdout: stream, stderr: stream, env });
  return { code, text };
}

/** What it found, from its JSON. */
export async function examine(
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<DoctorReport & { readonly code: number }> {
  const { code, text } = await doctor(env, '-o', 'json', ...args);
  return { ...(JSON.parse(text) as DoctorReport), code };
}

/** What is to be changed by what did not pass, each once. */
export function concerned({ findings }: DoctorReport): string[] {
  const bad = findings.filter(({ result }) => result === 'fail' || result === 'warn');
  return [...new Set(bad.map(({ check, concerns }) => concerns ?? check))].toSorted();
}
