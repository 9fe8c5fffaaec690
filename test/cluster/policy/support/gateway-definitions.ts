const text = { type: 'string' };

const parentRef = {
  type: 'object',
  required: ['name'],
  properties: {
    group: { ...text, default: 'gateway.networking.k8s.io' },
    kind: { ...text, default: 'Gateway' },
    name: { ...text, minLength: 1 },
    namespace: { ...text, minLength: 1 },
    sectionName: text,
    port: { type: 'integer' },
  },
};

const condition = {
  type: 'object',
  required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
  properties: {
    lastTransitionTime: { ...text, format: 'date-time' },
    message: { ...text, maxLength: 32_768 },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    reason: { ...text, minLength: 1, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
    status: { ...text, enum: ['True', 'False', 'Unknown'] },
    type: text,
  },
};

const entry = {
  type: 'object',
  required: ['controllerName', 'parentRef'],
  properties: {
    controllerName: { ...text, pattern: '^[a-z0-9.-]+/[A-Za-z0-9/._-]+$' },
    parentRef,
    conditions: { type: 'array', minItems: 1, maxItems: 8, items: condition },
  },
};

const schema = {
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { parentRefs: { type: 'array', items: parentRef } },
      },
      status: {
        type: 'object',
        required: ['parents'],
        properties: { parents: { type: 'array', maxItems: 32, items: entry } },
      },
    },
  },
};

/** A kind of route as the Gateway API has it: as strict about the status, and nothing said of the rules. */
function definition(kind: string, versions: readonly string[]) {
  const singular = kind.toLowerCase();
  const name = `${singular}s.gateway.networking.k8s.io`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a definition for tests' },
    },
    spec: {
      group: 'gateway.networking.k8s.io',
      scope: 'Namespaced',
      names: { kind, plural: `${singular}s`, singular },
      versions: versions.map((version, i) => ({
        name: version,
        served: true,
        storage: i === 0,
        subresources: { status: {} },
        schema,
      })),
    },
  };
}

/** HTTPRoutes in the newest version and GRPCRoutes in their oldest alone. */
export const gatewayDefinitions = [
  definition('HTTPRoute', ['v1', 'v1beta1']),
  definition('GRPCRoute', ['v1alpha2']),
];
