import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { DoctorReport } from '../../../../src/cli/doctor/report.ts';
import { run } from '../../../../src/cli/run.ts';
import type { TemporaryDirectory } from '../../../support/temporary-directory.ts';
import type { VaultServer } from '../support/vault-server.ts';

const execute = promisify(execFile);

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

/** Runs what was printed, as an administrator of the server would. */
export async function apply(
  script: string,
  server: VaultServer,
  directory: TemporaryDirectory,
): Promise<string> {
  const bin = directory.file('bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  symlinkSync(server.program, `${bin}/vault`);
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: directory.path,
    VAULT_ADDR: server.address,
    VAULT_CACERT: server.caFile,
    VAULT_TOKEN: server.rootToken,
  };
  const { stdout } = await execute('/bin/sh', ['-c', script], { env, cwd: directory.path });
  return stdout;
}
