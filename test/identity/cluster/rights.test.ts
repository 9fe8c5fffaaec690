import { identityChecks, identitySettings, needsCluster } from '../../../src/identity/settings.ts';
import { rightsNeeded } from '../../../src/identity/cluster/rights.ts';
import { checkIssuerConfig } from '../../../src/issuers/create-issuer.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';

const common = {
  KEDGE_ISSUER: 'cert-manager',
  KEDGE_TOKEN_ISSUER: 'https://issuer.test',
  KEDGE_TOKEN_JWKS_FILE: '/keys.json',
  KEDGE_TOKEN_SUBJECTS_FILE: '/subjects.json',
  KEDGE_TRUST_ANCHORS_FILE: '/anchors.pem',
};

/** `verb resource namespace/name`, as RBAC would grant it. */
function rights(settings: Readonly<Record<string, string>>): string[] {
  const config = readEnvironment(
    identitySettings,
    { ...common, ...settings },
    ...identityChecks,
    checkIssuerConfig,
  );
  expect(needsCluster(config)).toBe(true);
  return rightsNeeded(config).map(
    ({ verb, resource, namespace = '*', name = '*' }) => `${verb} ${resource.plural} ${namespace}/${name}`,
  );
}

const events = ['create events */*', 'patch events */*'];

describe('the rights that identity needs', () => {
  it('are the Secret of the CA alone where cert-manager keeps one', () => {
    expect(rights({})).toEqual([
      ...events,
      'list secrets kedge/kedge-issuer',
      'watch secrets kedge/kedge-issuer',
    ]);
  });

  it('are the requests of its own namespace, and no Secret, where cert-manager is asked for each certificate', () => {
    expect(rights({ KEDGE_ISSUER_MODE: 'direct' })).toEqual([
      ...events,
      ...['create', 'get', 'list', 'watch', 'delete'].map((verb) => `${verb} certificaterequests kedge/*`),
    ]);
  });

  it.each([
    ['cert-manager', 'vault', 'kedge-issuer'],
    ['local', 'cert-manager', 'spare'],
    ['local', 'vault', 'spare'],
  ])('are the Secret of the CA of %s too, where that signs while %s is away', (fallback, issuer, secret) => {
    const settings = {
      KEDGE_ISSUER: issuer,
      KEDGE_ISSUER_MODE: 'direct',
      KEDGE_ISSUER_FALLBACKS: fallback,
      ...(fallback === 'local' && { KEDGE_ISSUER_LOCAL_SECRET: 'spare' }),
    };
    expect(rights(settings).filter((right) => right.includes(' secrets '))).toEqual([
      `list secrets kedge/${secret}`,
      `watch secrets kedge/${secret}`,
    ]);
  });

  it('are the Secret of a certificate that is only told of, where one is named', () => {
    expect(
      rights({ KEDGE_ISSUER_MODE: 'direct', KEDGE_WEBHOOK_CERTIFICATE_SECRET: 'kedge-webhook' }),
    ).toEqual(
      expect.arrayContaining(['list secrets kedge/kedge-webhook', 'watch secrets kedge/kedge-webhook']),
    );
  });

  it('are to read the anchors of somebody else, and to write copies alone', () => {
    const anchors = {
      KEDGE_TRUST_ANCHORS_FILE: '',
      KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'cert-manager/mesh-anchors',
    };
    const read = ['get', 'list', 'watch'].map((verb) => `${verb} configmaps cert-manager/mesh-anchors`);
    expect(rights(anchors).filter((right) => right.includes('configmaps'))).toEqual(read);
    const published = rights({ ...anchors, KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle' });
    expect(published.filter((right) => right.includes('configmaps'))).toEqual([
      ...['list', 'watch', 'create', 'patch'].map((verb) => `${verb} configmaps */kedge-trust-bundle`),
      ...read,
    ]);
  });
});
