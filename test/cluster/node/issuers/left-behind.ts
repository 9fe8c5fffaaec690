import type { TestCluster } from '../../test-cluster.ts';
import { controlNamespace } from '../install-kedge.ts';

const namespaced = [
  'deployments,replicasets,pods,services,endpointslices,serviceaccounts,roles,rolebindings,secrets,configmaps,leases',
  'certificates.cert-manager.io,certificaterequests.cert-manager.io',
].join();
const ofCluster = 'clusterroles,clusterrolebindings';

/** Every object that belongs to the mesh by its namespace, its label, or as a copy of the trust bundle; `kind name`. */
export async function objectsOfMesh(cluster: TestCluster): Promise<Set<string>> {
  const lists = await Promise.all([
    list(cluster, [namespaced, `--namespace=${controlNamespace}`]),
    list(cluster, [ofCluster, '--selector=app.kubernetes.io/name=kedge']),
    list(cluster, ['configmaps', '--all-namespaces', '--field-selector=metadata.name=kedge-trust-bundle']),
  ]);
  return new Set(lists.flat());
}

async function list(cluster: TestCluster, args: readonly string[]): Promise<string[]> {
  const path =
    '--output=jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const printed = await cluster.kubectl(['get', ...args, path]);
  return printed.split('\n').filter((line) => line !== '');
}

/** Deletes objects that were listed. */
export async function remove(cluster: TestCluster, objects: Iterable<string>): Promise<void> {
  for (const object of objects) {
    const [kind = '', place = ''] = object.split(' ');
    const [namespace = '', name = ''] = place.split('/');
    await cluster.kubectl(['delete', kind, name, `--namespace=${namespace}`, '--wait=false']);
  }
}
