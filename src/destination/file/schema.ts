import {
  cidr,
  inboundPort,
  ipAddress,
  labels,
  namespacedName,
  policyName,
  port,
  portKey,
  serviceName,
  zone,
} from './schema-parts.ts';
import { hostname, nodes, workloads } from './workload-schema.ts';

const endpointPort = {
  ...port,
  description: 'The port to connect to. The port of the service when left out.',
};
const weight = {
  type: 'integer',
  minimum: 1,
  maximum: 1_000_000,
  default: 10_000,
  description: 'Its share of connections, relative to the other endpoints.',
};

const workloadEndpoint = {
  properties: {
    workload: { ...namespacedName, description: 'One of workloads. All else is known from there.' },
    port: endpointPort,
    weight,
  },
  additionalProperties: false,
};

const addressEndpoint = {
  required: ['address'],
  properties: {
    address: { ...ipAddress, description: 'An address of something that is not listed under workloads.' },
    port: endpointPort,
    weight,
    serviceAccount: {
      ...namespacedName,
      description: 'Who it must prove to be, as namespace/name. Left out: clients connect in plaintext.',
    },
    inboundPort: {
      ...inboundPort,
      description: 'The inbound listener of its proxy, as proxy.inboundPort of a workload.',
    },
    opaque: { type: 'boolean', default: false, description: 'Whether clients must not look into the bytes.' },
    zone,
    hostname,
    labels,
  },
  additionalProperties: false,
};

const service = {
  type: 'object',
  required: ['ports'],
  additionalProperties: false,
  properties: {
    clusterIPs: {
      type: 'array',
      items: ipAddress,
      description:
        'Addresses of the service itself. Connections to them are treated as connections to its name.',
    },
    ports: {
      type: 'object',
      propertyNames: portKey,
      description: 'Ports of the service.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          opaque: {
            type: 'boolean',
            description:
              'Whether clients must not look into the bytes. True when left out and an endpoint is opaque.',
          },
          endpoints: {
            type: 'array',
            description: 'Where connections to this port go. None yet: they are refused.',
            items: {
              type: 'object',
              if: { required: ['workload'] },
              then: workloadEndpoint,
              else: addressEndpoint,
            },
          },
        },
      },
    },
  },
};

/** The destination file's schema. docs/destination-file.schema.json is this value, for editors. */
export const destinationFileSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:kedge:destination-file:1',
  title: 'Kedge destination file',
  description:
    'Where the endpoints of each service are, who they must prove to be, and who may connect to each workload.',
  type: 'object',
  additionalProperties: false,
  properties: {
    clusterNetworks: {
      type: 'array',
      minItems: 1,
      items: cidr,
      default: ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'],
      description: 'What the cluster-* policies admit.',
    },
    defaultPolicy: { ...policyName, default: 'all-unauthenticated' },
    nodes,
    workloads,
    services: {
      type: 'object',
      propertyNames: serviceName,
      additionalProperties: service,
      description: 'Services by namespace/name.',
    },
  },
} as const;
