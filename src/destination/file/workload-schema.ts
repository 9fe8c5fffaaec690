import {
  cidr,
  dnsLabel,
  dnsName,
  inboundPort,
  ipAddress,
  labels,
  namespacedName,
  policyName,
  port,
  portKey,
  zone,
} from './schema-parts.ts';

const network = {
  type: ['string', 'object'],
  title: cidr.title,
  pattern: cidr.pattern,
  required: ['cidr'],
  additionalProperties: false,
  properties: {
    cidr,
    except: { type: 'array', items: cidr, description: 'Networks inside this one that are not admitted.' },
  },
};

const identity = {
  type: 'string',
  title: 'a mesh identity in lower case, "*" or "*." and the ending of identities',
  maxLength: 255,
  pattern: '^(?:\\*|(?:\\*\\.)?[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$',
};

const serviceAccount = {
  type: 'string',
  title: 'namespace/name or namespace/* in lower case',
  pattern: '^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?/(?:\\*|[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$',
};

const authorization = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  anyOf: [{ required: ['identities'] }, { required: ['serviceAccounts'] }, { required: ['unauthenticated'] }],
  properties: {
    name: { ...dnsName, description: 'Tells the rule apart in the metrics and logs of the proxy.' },
    networks: {
      type: 'array',
      minItems: 1,
      items: network,
      description:
        'Where clients may come from: networks, or networks with exceptions. Everywhere when left out.',
    },
    identities: {
      type: 'array',
      minItems: 1,
      items: identity,
      description:
        'Full mesh identities. "*.x" is every identity that ends in .x, "*" is every identity of the mesh.',
    },
    serviceAccounts: {
      type: 'array',
      minItems: 1,
      items: serviceAccount,
      description: 'ServiceAccounts of this mesh as namespace/name; namespace/* is all of that namespace.',
    },
    unauthenticated: { const: true, description: 'Admit clients without a mesh identity too.' },
  },
};

const workloadPort = {
  type: 'object',
  additionalProperties: false,
  properties: {
    protocol: {
      type: 'string',
      enum: ['detect', 'opaque', 'tls', 'http1', 'http2', 'grpc'],
      default: 'detect',
      description:
        'How the proxy reads the port. opaque: bytes are left alone, as server-speaks-first protocols need; tls: mesh TLS is ended and nothing more looked into.',
    },
    policy: policyName,
    authorizations: {
      type: 'array',
      minItems: 1,
      items: authorization,
      description: 'Rules of its own in place of a named policy. The first that holds admits the connection.',
    },
  },
};

const proxy = {
  type: 'object',
  additionalProperties: false,
  description:
    'The proxy in front of the workload; what has one has a mesh identity. Leave it out for a workload outside the mesh.',
  properties: {
    inboundPort: {
      ...inboundPort,
      description:
        'Its inbound listener. Clients then connect there and name the port they mean; opaque ports need it.',
    },
    adminPort: { ...port, description: 'Its admin server, which is always connected to directly.' },
    skipInboundPorts: {
      type: 'array',
      items: {
        type: ['integer', 'string'],
        title: 'a port or a range like 8000-8010',
        pattern: '^[0-9]+(?:-[0-9]+)?$',
      },
      description: 'Ports and ranges that bypass the proxy: nothing there can prove an identity.',
    },
  },
};

/** One workload: what it is, where it is, and who may connect to it. */
export const workload = {
  type: 'object',
  required: ['addresses'],
  additionalProperties: false,
  properties: {
    addresses: {
      type: 'array',
      minItems: 1,
      items: ipAddress,
      description:
        'Its IP addresses; clients are sent to the first. Workloads may share one when each lists its own ports.',
    },
    serviceAccount: {
      ...dnsName,
      default: 'default',
      description: 'With the namespace, who the workload is.',
    },
    node: { ...dnsName, description: 'The node it runs on, one of nodes; gives its zone.' },
    zone,
    proxy,
    labels,
    policy: policyName,
    ports: {
      type: 'object',
      propertyNames: portKey,
      additionalProperties: workloadPort,
      description: 'Ports that need something other than detect and the policy of the workload.',
    },
  },
};

export const workloads = {
  type: 'object',
  propertyNames: namespacedName,
  additionalProperties: workload,
  description: 'Workloads by namespace/name, the name being that of the pod.',
};

export const nodes = {
  type: 'object',
  propertyNames: dnsName,
  additionalProperties: {
    type: 'object',
    required: ['zone'],
    additionalProperties: false,
    properties: { zone },
  },
  description: 'Nodes by name, to tell the zone of clients and workloads on them.',
};

export const hostname = {
  ...dnsLabel,
  description: 'Its own name below that of the service: hostname.service.namespace.svc.<cluster domain>.',
};
