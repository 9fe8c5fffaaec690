import { parseAllDocuments } from 'yaml';
import { chart, missingHelm, runHelm } from '../cluster/helm.ts';

/** Values of the chart that differ from its own. */
export type Values = Readonly<Record<string, unknown>>;

/** An object that the chart makes, as far as tests look into it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What of a pod's container tests look at. */
export interface RenderedContainer {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly object[];
  readonly livenessProbe: { readonly httpGet: { readonly port: string } };
  readonly readinessProbe: { readonly httpGet: { readonly port: string } };
}

/** What of a pod's template tests look at. */
export interface RenderedPod {
  readonly serviceAccountName: string;
  readonly containers: readonly [RenderedContainer];
  readonly volumes?: readonly object[];
}

/** A `describe` for which helm is at hand; skipped, with what is missing in its name, where it is not. */
export function onHelm(name: string, tests: () => void): void {
  const missing = missingHelm();
  if (missing === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${missing})`, tests);
}

/** The text of `helm template`; rejects with what helm says of values that it refuses. */
export function renderText(values: Values = {}, namespace = 'kedge'): Promise<string> {
  const args = ['template', 'kedge', chart, `--namespace=${namespace}`, '--values=-'];
  return runHelm(args, { input: JSON.stringify(values) });
}

export async function render(values?: Values, namespace?: string): Promise<Rendered[]> {
  return parseManifests(await renderText(values, namespace));
}

export function parseManifests(text: string): Rendered[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** The pod of each Deployment, by the name of the Deployment. */
export function podsOf(objects: readonly Rendered[]): Map<string, RenderedPod> {
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  return new Map(
    deployments.map(({ metadata, spec }) => [
      metadata.name,
      (spec as { readonly template: { readonly spec: RenderedPod } }).template.spec,
    ]),
  );
}

/** The environment of a process, as its Deployment sets it. */
export function environmentOf(objects: readonly Rendered[], deployment: string): Record<string, string> {
  const container = podsOf(objects).get(deployment)?.containers[0];
  if (container === undefined) throw new Error(`expected a Deployment ${deployment}`);
  return Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
}
