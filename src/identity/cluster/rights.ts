import { issuerObjects, issuerSecrets } from '../../issuers/issuer-objects.ts';
import {
  certificateRequests,
  configMaps,
  events,
  namespaces,
  secrets,
  tokenReviews,
} from '../../kube/resources.ts';
import type { Resource } from '../../kube/resource.ts';
import type { ValuesOf } from '../../runtime/env.ts';
import type { identitySettings } from '../settings.ts';
import type { Right } from './access-check.ts';

/** Every right that this process needs for what it was asked to do; the chart gives exactly these. */
export function rightsNeeded(config: ValuesOf<typeof identitySettings>): Right[] {
  const { tokenVerifier, issuer, issuerLocalSecret, trustBundleConfigMap, issuerBootstrap } = config;
  const { controlNamespace: namespace, issuerAnchorSecret, trustAnchorsConfigMap: others } = config;
  const { requests } = issuerObjects(config);
  const { webhookCertificateSecret: webhook } = config;
  const followed = [...issuerSecrets(config), ...(webhook === undefined ? [] : [webhook])];
  const rights = (resource: Resource, verbs: readonly string[], where: Partial<Right> = {}): Right[] =>
    verbs.map((verb) => ({ verb, resource, ...where }));
  return [
    ...rights(events, ['create', 'patch']),
    ...(tokenVerifier === 'token-review' ? rights(tokenReviews, ['create']) : []),
    ...followed.flatMap((name) => rights(secrets, ['list', 'watch'], { namespace, name })),
    ...(requests
      ? rights(certificateRequests, ['create', 'get', 'list', 'watch', 'delete'], { namespace })
      : []),
    ...(trustBundleConfigMap === undefined
      ? []
      : [
          ...rights(namespaces, ['list', 'watch']),
          ...rights(configMaps, ['list', 'watch', 'create', 'patch'], { name: trustBundleConfigMap }),
          ...(others === undefined
            ? rights(configMaps, ['get'], { namespace, name: trustBundleConfigMap })
            : []),
          ...(issuer === 'vault' && others === undefined
            ? rights(configMaps, ['update'], { namespace, name: trustBundleConfigMap })
            : []),
        ]),
    ...(others === undefined ? [] : rights(configMaps, ['get', 'list', 'watch'], others)),
    ...(issuerBootstrap
      ? [
          ...[issuerLocalSecret ?? '', issuerAnchorSecret].flatMap((name) =>
            rights(secrets, ['get', 'update'], { namespace, name }),
          ),
          ...rights(configMaps, ['update'], { namespace, name: trustBundleConfigMap ?? '' }),
        ]
      : []),
  ];
}
