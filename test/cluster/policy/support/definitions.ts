import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestCluster } from '../../test-cluster.ts';
import { definitionsKnown } from '../../definitions-known.ts';

const directory = path.join(import.meta.dirname, '../../../../helm/templates/crds');

/** The definitions of the chart; without the lines that Helm reads they are plain manifests. */
export function definitions(): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(path.join(directory, file), 'utf8'))
    .map((text) =>
      text
        .split('\n')
        .filter((line) => !line.includes('{{'))
        .join('\n'),
    );
}

/** Gives the cluster the definitions of the chart, and waits until it serves them. */
export async function define(cluster: TestCluster): Promise<string> {
  const said = await cluster.kubectl(['apply', '-f', '-'], { input: definitions().join('\n---\n') });
  await definitionsKnown(cluster);
  return said;
}
