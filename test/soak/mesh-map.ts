/** Servers of the soak. `south` comes and goes; `north` stays, for what has to stay. */
export type Server = 'north' | 'south';

export interface MapPorts {
  readonly northApp: number;
  readonly northGate: number;
  readonly northWire: number;
  readonly southApp: number;
  readonly southWire: number;
}

/** What of the map of the mesh changes during the soak. */
export interface MapState {
  /** Endpoints of the service `api`. */
  readonly endpoints: readonly Server[];
  /** Whether policy lets the client in at the gate. */
  readonly gateOpen: boolean;
  /** Counts up with every change: names and bystanders of the authorizations follow it. */
  readonly change: number;
}

/** The destination file (docs/destination-file.md). Nothing that changes in it ever forbids the client the servers. */
export function mapOf(ports: MapPorts, { endpoints, gateOpen, change }: MapState): string {
  const gate = gateOpen ? 'shop/web' : 'shop/nobody';
  return `# Written by the soak.
workloads:
  shop/north-0:
    addresses: [127.0.0.1]
    serviceAccount: north
    proxy: { inboundPort: ${ports.northWire} }
    ports:
      "${ports.northApp}":
${authorizations(change)}
      "${ports.northGate}":
        authorizations:
          - { name: gate-${change % 3}, serviceAccounts: [${gate}] }
  shop/south-0:
    addresses: [127.0.0.1]
    serviceAccount: south
    proxy: { inboundPort: ${ports.southWire} }
    ports:
      "${ports.southApp}":
${authorizations(change + 1)}
services:
  shop/api:
    ports:
      "80":
        endpoints:
${endpoints.map((name) => `          - { workload: shop/${name}-0, port: ${ports[`${name}App`]} }`).join('\n')}
  shop/steady:
    ports:
      "80": { endpoints: [{ workload: shop/north-0, port: ${ports.northApp} }] }
  shop/south:
    ports:
      "80": { endpoints: [{ workload: shop/south-0, port: ${ports.southApp} }] }
  shop/gate:
    ports:
      "80": { endpoints: [{ workload: shop/north-0, port: ${ports.northGate} }] }
`;
}

/** The client, under a name that changes, among others that come and go before and behind it. */
function authorizations(change: number): string {
  const bystanders = Array.from({ length: change % 4 }, (_, at) => ({
    name: `bystander-${at}`,
    account: `batch/job-${change + at}`,
  }));
  const rules = [...bystanders, { name: `web-${change % 5}`, account: 'shop/web' }];
  const lines = (change % 2 === 0 ? rules : rules.toReversed()).map(
    ({ name, account }) => `          - { name: ${name}, serviceAccounts: [${account}] }`,
  );
  return ['        authorizations:', ...lines].join('\n');
}
