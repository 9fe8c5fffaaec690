import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cacheDirectory } from './cache-directory.ts';
import type { GoBuild } from './go-build.ts';
import { isBuilt } from './go-build.ts';
import { versions } from './versions.ts';

/** Enough for an API server without a node. */
const controlPrograms = ['kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
const nodePrograms = ['kube-scheduler', 'kubelet', 'kube-proxy'] as const;

export type KubernetesProgram = (typeof controlPrograms)[number] | (typeof nodePrograms)[number];

/** What of Kubernetes is wanted: an API server with what belongs to it, or a node as well. */
export type KubernetesParts = 'api-only' | 'node';

/** Where a program of a version is, or will be once it is built. */
export function kubernetesProgram(version: string, name: KubernetesProgram): string {
  return path.join(kubernetesDirectory(version), name);
}

function kubernetesDirectory(version: string): string {
  return cacheDirectory('kubernetes', `v${version}`);
}

/** Whether everything of a version is built that is wanted. */
export function hasKubernetes(version: string, parts: KubernetesParts): boolean {
  return isBuilt(kubernetesBuild(version, parts));
}

/** How Kubernetes is built: from its own module, whose staging modules are published beside it. */
export function kubernetesBuild(version: string, parts: KubernetesParts): GoBuild {
  if (parts === 'node' && versions.find((one) => one.version === version)?.node === false) {
    throw new Error(`expected a version whose kubelet runs under cgroup v1, got ${version}: use --api-only`);
  }
  const names = parts === 'node' ? [...controlPrograms, ...nodePrograms] : controlPrograms;
  const [major = '', minor = ''] = version.split('.');
  const variable = (name: string, value: string): string =>
    `-X k8s.io/component-base/version.${name}=${value}`;
  return {
    directory: kubernetesDirectory(version),
    title: `Kubernetes ${version}`,
    programs: Object.fromEntries(names.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`])),
    linkerFlags: [
      '-s',
      '-w',
      variable('gitVersion', `v${version}`),
      variable('gitMajor', major),
      variable('gitMinor', minor),
    ],
    module: (go) => kubernetesModule(version, go),
  };
}

/**
 * Kubernetes' module points at its staging modules by paths in its own repository, which a reader of the module proxy
 * does not have; each is published as v0.MINOR.PATCH too.
 */
async function kubernetesModule(
  version: string,
  go: (...args: string[]) => Promise<string>,
): Promise<string> {
  const answer = await go('mod', 'download', '-json', `k8s.io/kubernetes@v${version}`);
  const { GoMod } = JSON.parse(answer) as { readonly GoMod: string };
  const theirs = readFileSync(GoMod, 'utf8');
  const staged = [...theirs.matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\//gm)].map(
    ([, name = '']) => name,
  );
  const published = version.replace(/^1\./, 'v0.');
  return [
    'module kedge.test/kubernetes',
    /^go .*$/m.exec(theirs)?.[0] ?? 'go 1.24',
    `require k8s.io/kubernetes v${version}`,
    ...staged.map((name) => `replace ${name} => ${name} ${published}`),
    '',
  ].join('\n\n');
}
