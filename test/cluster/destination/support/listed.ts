import type { TestCluster } from '../../test-cluster.ts';
import type { Kind } from './objects.ts';
import { placeOf } from './objects.ts';

interface Listed<T> {
  readonly items: readonly (T & {
    readonly metadata: { readonly namespace: string; readonly name: string };
  })[];
}

interface ListedService {
  readonly spec: { readonly ports?: readonly { readonly name?: string; readonly port: number }[] };
}

interface ListedSlice {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly ports: readonly { readonly name?: string; readonly port: number }[] | null;
  readonly endpoints:
    | readonly { readonly addresses: readonly string[]; readonly conditions: { readonly ready?: boolean } }[]
    | null;
}

/**
 * What the API server itself lists, by `service.namespace:port`: the ready addresses of each port, in order. Reads with
 * no code of what it judges.
 */
export async function listedEndpoints(
  cluster: TestCluster,
  namespace: string,
): Promise<Map<string, string[]>> {
  const services = await cluster.expect<Listed<ListedService>>(`/api/v1/namespaces/${namespace}/services`);
  const slices = await cluster.expect<Listed<ListedSlice>>(
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
  );
  const byService = Map.groupBy(
    slices.items,
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'],
  );
  return new Map(
    services.items.flatMap(({ metadata: { name }, spec }) =>
      (spec.ports ?? []).map((port) => [
        `${name}.${namespace}:${port.port}`,
        (byService.get(name) ?? []).flatMap((slice) => socketsOf(slice, port.name ?? '')).sort(),
      ]),
    ),
  );
}

/** The names of the objects of a kind that the API server itself lists. */
export async function listedNames(cluster: TestCluster, kind: Kind, namespace: string): Promise<string[]> {
  const { items } = await cluster.expect<Listed<object>>(placeOf(kind, namespace));
  return items.map(({ metadata: { name } }) => name);
}

function socketsOf({ ports, endpoints }: ListedSlice, name: string): string[] {
  return (ports ?? [])
    .filter((port) => (port.name ?? '') === name)
    .flatMap(({ port }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions.ready !== false)
        .map(({ addresses: [address = ''] }) =>
          address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
        ),
    );
}
