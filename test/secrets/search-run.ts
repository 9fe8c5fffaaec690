import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SecretWatch, type Leak } from '../support/secret-watch.ts';
import { outputFile, secretsFile, type NotedSecret } from './run-record.ts';

export interface Search {
  /** How many secrets were looked for, and in how many bytes: a search of nothing in nothing proves nothing. */
  readonly secrets: number;
  readonly bytes: number;
  readonly leaks: readonly (Leak & { readonly file: string })[];
}

/** What no secret is without that only a process of the run has seen. */
const looks: readonly (readonly [string, RegExp])[] = [
  ['a private key in PEM', /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----(?:\\n|\s)*[\w+/]{16}/],
  ['a private key in PKCS #8', /MIG[\w+/]AgEAMBMGByqGSM49/],
  ['a private key in SEC1', /MHcCAQEEI[\w+/]{20}/],
  ['a signing request in PEM', /-----BEGIN CERTIFICATE REQUEST-----(?:\\n|\s)*[\w+/]{16}/],
  ['a signed token', /\beyJ[\w-]{12,}\.eyJ[\w-]{12,}\.[\w-]{40,}/],
  ['a token of Vault', /\b(?:hv[sbr]\.[\w-]{24,}|[sb]\.[A-Za-z0-9]{24}\b)/],
];

/** Looks through everything that the processes of a run have noted in the directory. */
export function searchRun(directory: string): Search {
  const names = readdirSync(directory);
  const noted = new Map<string, NotedSecret>();
  for (const name of names.filter((each) => secretsFile.test(each))) {
    for (const line of read(directory, name).split('\n')) {
      // A process that was killed has not ended its line.
      if (line.endsWith('}')) noted.set(line, JSON.parse(line) as NotedSecret);
    }
  }
  const watch = new SecretWatch();
  for (const { what, hex } of noted.values()) watch.bytes(what, Buffer.from(hex, 'hex'));
  for (const [what, pattern] of looks) watch.pattern(what, pattern);
  let bytes = 0;
  const leaks = names
    .filter((each) => outputFile.test(each))
    .flatMap((file) => {
      const text = read(directory, file);
      bytes += text.length;
      return watch.leaksIn(text).map((leak) => ({ ...leak, file }));
    });
  return { secrets: noted.size, bytes, leaks };
}

function read(directory: string, name: string): string {
  return readFileSync(path.join(directory, name), 'utf8');
}
