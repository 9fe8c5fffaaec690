import { isBuilt } from './binaries/go-build.ts';
import { hasKubernetes } from './binaries/kubernetes.ts';
import { chosenVersion } from './binaries/versions.ts';
import { coreDns, helm } from './node/go-programs.ts';
import { lacking } from './requirements.ts';

/** Why tests have no cluster on this machine, with how to change that, in one line; undefined when they have one. */
export function whatIsMissing(node = false): string | undefined {
  const version = chosenVersion();
  const kubernetes = hasKubernetes(version, node ? 'node' : 'api-only');
  if (!kubernetes || (node && ![coreDns, helm].every(isBuilt))) {
    const command = `npm run cluster -- build${node ? '' : ' --api-only'} --version ${version}`;
    return `needs Kubernetes ${version}: ${command}`;
  }
  return lacking({ version, node })[0];
}
