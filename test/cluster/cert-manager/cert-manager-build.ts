import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import type { GoBuild } from '../binaries/go-build.ts';

/** The last version whose commands lie in a module that can be had. */
const version = 'v1.11.5';
const module = 'github.com/cert-manager/cert-manager';
const directory = cacheDirectory('cert-manager', version);
const crdDirectory = path.join(directory, 'crds');

/** cert-manager's controller and webhook, with the definitions of its kinds beside them. */
export const certManagerBuild: GoBuild = {
  directory,
  title: `cert-manager ${version.slice(1)}`,
  programs: { controller: `${module}/cmd/controller`, webhook: `${module}/cmd/webhook` },
  linkerFlags: ['-s', '-w'],
  module: async (go) => {
    const { Dir } = JSON.parse(await go('mod', 'download', '-json', `${module}@${version}`)) as {
      readonly Dir: string;
    };
    keepDefinitions(path.join(Dir, 'deploy', 'crds'));
    return `module kedge.test/cert-manager\n\ngo 1.24\n\nrequire ${module} ${version}\n`;
  },
};

/** Where its controller or webhook is, or will be once it is built. */
export function certManagerProgram(name: 'controller' | 'webhook'): string {
  return path.join(directory, name);
}

/** The definitions of its kinds, as YAML to be applied. */
export function certManagerDefinitions(): string {
  return readdirSync(crdDirectory)
    .map((name) => readFileSync(path.join(crdDirectory, name), 'utf8'))
    .join('---\n');
}

/** The chart's templates, of which only labels are lost when its own lines go. */
function keepDefinitions(from: string): void {
  mkdirSync(crdDirectory, { recursive: true });
  for (const name of readdirSync(from).filter((one) => one.endsWith('.yaml'))) {
    const lines = readFileSync(path.join(from, name), 'utf8').split('\n');
    writeFileSync(path.join(crdDirectory, name), lines.filter((line) => !line.includes('{{')).join('\n'));
  }
}
