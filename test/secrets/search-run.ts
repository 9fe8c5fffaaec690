import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SecretWatch, type Leak } from '../support/secret-watch.ts';
import { outputFile, scriptedFile, secretsFile, type NotedSecret } from './run-record.ts';

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
  const lines = (files: RegExp): Set<string> =>
    new Set(names.filter((each) => files.test(each)).flatMap((name) => read(directory, name).split('\n')));
  // A process that was killed has not ended its line.
  const noted = [...lines(secretsFile)].filter((line) => line.endsWith('}'));
  const scripted = [...lines(scriptedFile)].filter((line) => line.endsWith('"'));
  const watch = new SecretWatch();
  for (const line of noted) {
    const { what, hex } = JSON.parse(line) as NotedSecret;
    watch.bytes(what, Buffer.from(hex, 'hex'));
  }
  for (const [what, pattern] of looks) watch.pattern(what, pattern);
  let bytes = 0;
  const leaks = names
    .filter((each) => outputFile.test(each))
    .flatMap((file) => {
      let text = `\n${read(directory, file)}`;
      for (const line of scripted) text = without(text, `\n${JSON.parse(line) as string}\n`);
      bytes += text.length - 1;
      return watch.leaksIn(text).map((leak) => ({ ...leak, file }));
    });
  return { secrets: noted.length, bytes, leaks };
}

/** Without a passage between two line ends, which may come twice in a row. */
function without(text: string, passage: string): string {
  const rest = text.replaceAll(passage, '\n');
  return rest.includes(passage) ? without(rest, passage) : rest;
}

function read(directory: string, name: string): string {
  return readFileSync(path.join(directory, name), 'utf8');
}
