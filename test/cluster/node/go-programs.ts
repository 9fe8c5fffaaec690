import path from 'node:path';
import { cacheDirectory } from '../binaries/cache-directory.ts';
import type { GoBuild } from '../binaries/go-build.ts';

/** The cluster's name server. */
export const coreDns = goProgram('CoreDNS', 'coredns', 'github.com/coredns/coredns', '1.12.4');

/** Installs the chart. */
export const helm = goProgram('Helm', 'helm', 'helm.sh/helm/v4', '4.3.1', '/cmd/helm');

/** Where the program of a build of one is, or will be once it is built. */
export function programOf({ directory, programs }: GoBuild): string {
  return path.join(directory, ...Object.keys(programs));
}

/** A program whose module can be built as it is published. */
function goProgram(title: string, name: string, module: string, version: string, folder = ''): GoBuild {
  return {
    directory: cacheDirectory(name, `v${version}`),
    title: `${title} ${version}`,
    programs: { [name]: `${module}${folder}` },
    linkerFlags: ['-s', '-w'],
    module: `v${version}`,
  };
}
