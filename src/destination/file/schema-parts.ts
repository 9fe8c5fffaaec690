import { DEFAULT_POLICY_NAMES } from '../server-policy.ts';

/*
 * A `title` beside a `pattern` completes the sentence "expected ...". The patterns keep slips out and give editors
 * something to complain about; whether an address or a network really is one is checked when the file is read.
 */

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const NAME = `${LABEL}(?:\\.${LABEL})*`;

export const port = { type: 'integer', minimum: 1, maximum: 65535 };

/** The wire has no room for 65535 here (contract 4.2). */
export const inboundPort = { type: 'integer', minimum: 1, maximum: 65534 };

export const ipAddress = { type: 'string', title: 'an IP address', pattern: '^[0-9a-fA-F:.]+$' };

export const cidr = {
  type: 'string',
  title: 'a network like 10.0.0.0/8',
  pattern: '^[0-9a-fA-F:.]+/[0-9]{1,3}$',
};

export const dnsLabel = {
  type: 'string',
  title: 'a DNS label (lower-case letters, digits and hyphens, at most 63)',
  pattern: `^${LABEL}$`,
};

export const dnsName = {
  type: 'string',
  title: 'a DNS name in lower case',
  maxLength: 253,
  pattern: `^${NAME}$`,
};

/** `namespace/name`, where the name may have dots as pod and ServiceAccount names may. */
export const namespacedName = {
  type: 'string',
  title: 'namespace/name in lower case',
  maxLength: 317,
  pattern: `^${LABEL}/${NAME}$`,
};

/** `namespace/name`, where the name is one DNS label as those of services are. */
export const serviceName = {
  type: 'string',
  title: 'namespace/name in lower case, the name without dots',
  pattern: `^${LABEL}/${LABEL}$`,
};

export const portKey = {
  type: 'string',
  title: 'a port from 1 to 65535',
  pattern: '^(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$',
};

export const policyName = {
  type: 'string',
  enum: [...DEFAULT_POLICY_NAMES],
  description:
    'A policy by its name. all-* admits any address, cluster-* those of clusterNetworks; *-authenticated wants a mesh identity; deny admits only the host itself; audit admits everyone and has it logged.',
};

export const zone = {
  type: 'string',
  minLength: 1,
  description: 'Where it runs, for clients that prefer what is near.',
};

export const labels = {
  type: 'object',
  description:
    'Further labels on the metrics clients keep of their connections, for example deployment: api.',
  propertyNames: { title: 'a metric label name', pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' },
  additionalProperties: { type: 'string' },
};
