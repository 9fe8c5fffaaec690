import { appendFileSync } from 'node:fs';
import path from 'node:path';

/** The directory that the processes of a run write what is searched at its end into; nothing is written where it is not set. */
export const runVariable = 'KEDGE_SECRETS_DIR';

export interface NotedSecret {
  /** What kind of secret: `a token`. */
  readonly what: string;
  readonly hex: string;
}

export const secretsFile = /^secrets-\d+\.jsonl$/;
export const scriptedFile = /^scripted-\d+\.jsonl$/;
export const outputFile = /^output\b/;

/** What this process has used in secret, and what it has put out. */
export class RunRecord {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  secret(what: string, secret: string | Uint8Array): void {
    const noted: NotedSecret = { what, hex: Buffer.from(secret).toString('hex') };
    appendFileSync(this.#file('secrets', 'jsonl'), `${JSON.stringify(noted)}\n`);
  }

  scripted(text: string): void {
    appendFileSync(this.#file('scripted', 'jsonl'), `${JSON.stringify(text)}\n`);
  }

  output(text: string): void {
    appendFileSync(this.#file('output', 'txt'), `${text}\n`);
  }

  #file(what: string, ending: string): string {
    return path.join(this.directory, `${what}-${process.pid}.${ending}`);
  }
}

/** That of this run; undefined where none is kept. */
export function runRecord(): RunRecord | undefined {
  const directory = process.env[runVariable];
  return directory === undefined || directory === '' ? undefined : new RunRecord(directory);
}

/** For builders of secrets: remembered where the run is to be searched. */
export function noteSecret(what: string, secret: string | Uint8Array): void {
  runRecord()?.secret(what, secret);
}

/** For an error that a test itself makes with a secret in it, in place of somebody else's; whoever repeats it is found. */
export function noteScripted(message: string): string {
  runRecord()?.scripted(message);
  return message;
}
