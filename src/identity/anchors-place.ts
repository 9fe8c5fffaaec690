import { bundleKey } from '../issuers/own-ca/ca-objects.ts';
import type { Format } from '../runtime/formats.ts';
import { isDnsLabel, isDnsName } from '../runtime/dns-names.ts';
import { setting } from '../runtime/settings.ts';

/** A key of a ConfigMap. */
export interface BundlePlace {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

const objectNameFormat: Format<Pick<BundlePlace, 'namespace' | 'name'>> = {
  expected: 'a namespace and a name such as "cert-manager/mesh-anchors"',
  parse: (given) => {
    const [namespace = '', name = '', ...more] = given.trim().split('/');
    return isDnsLabel(namespace) && isDnsName(name) && more.length === 0 ? { namespace, name } : undefined;
  },
};

const keyFormat: Format<string> = {
  expected: 'a key of a ConfigMap such as "ca-bundle.crt"',
  parse: (given) => (/^[-._a-zA-Z0-9]{1,253}$/.test(given.trim()) ? given.trim() : undefined),
};

/** Where somebody else keeps the trust anchors in the cluster: trust-manager, another mesh, an operator. */
export const anchorsPlaceSettings = {
  trustAnchorsConfigMap: setting(
    {
      name: 'KEDGE_TRUST_ANCHORS_CONFIG_MAP',
      help: 'A ConfigMap of somebody else (trust-manager, an operator) with the trust anchors as PEM; followed, never written. Published as the ConfigMap of KEDGE_TRUST_BUNDLE_CONFIG_MAP where that is set too.',
    },
    objectNameFormat,
  ),
  trustAnchorsKey: setting(
    {
      name: 'KEDGE_TRUST_ANCHORS_KEY',
      help: 'The key in that ConfigMap.',
      fallback: bundleKey,
    },
    keyFormat,
  ),
} as const;

interface Places {
  readonly controlNamespace: string;
  readonly trustBundleConfigMap: string | undefined;
  readonly trustAnchorsConfigMap: Pick<BundlePlace, 'namespace' | 'name'> | undefined;
  readonly trustAnchorsKey: string;
}

/** Whether the ConfigMap of the trust bundle is where the anchors come from, and no copy. */
export function ownBundle({ trustBundleConfigMap, trustAnchorsConfigMap }: Places): boolean {
  return trustBundleConfigMap !== undefined && trustAnchorsConfigMap === undefined;
}

/** The ConfigMap that the trust anchors are read from: that of somebody else, or the mesh's own. */
export function anchorsPlace(config: Places): BundlePlace | undefined {
  const { controlNamespace: namespace, trustBundleConfigMap: name, trustAnchorsConfigMap: others } = config;
  if (others !== undefined) return { ...others, key: config.trustAnchorsKey };
  return name === undefined ? undefined : { namespace, name, key: bundleKey };
}
