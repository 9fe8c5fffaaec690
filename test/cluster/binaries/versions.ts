/** The Kubernetes that everything runs on unless another is asked for. */
export const usualVersion = '1.34.2';

/** Every pinned version, oldest first, and whether its kubelet runs here too: from 1.35 on it refuses cgroup v1. */
export const versions: readonly { readonly version: string; readonly node: boolean }[] = [
  { version: '1.33.13', node: true },
  { version: usualVersion, node: true },
  { version: '1.36.3', node: false },
];

/** The version that `text` names, whole or by its minor (`1.33`). Throws when it is none of the pinned ones. */
export function versionNamed(text: string): string {
  const wanted = text.replace(/^v/, '');
  const found = versions.find(({ version }) => version === wanted || version.startsWith(`${wanted}.`));
  if (found !== undefined) return found.version;
  const known = versions.map(({ version }) => version).join(', ');
  throw new Error(`expected a pinned Kubernetes version (${known}), got ${JSON.stringify(text)}`);
}

/** The version that `KEDGE_TEST_KUBERNETES` names for the tests, or the usual one. */
export function chosenVersion(): string {
  const named = process.env['KEDGE_TEST_KUBERNETES'];
  return named === undefined || named === '' ? usualVersion : versionNamed(named);
}
