import { expiringNow, type InUse } from '../../../src/identity/cluster/expiring.ts';
import { identitySettings } from '../../../src/identity/settings.ts';
import type { IssuerState } from '../../../src/issuers/issuer.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { TestCa } from '../../support/test-ca.ts';

const service = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'kedge', name: 'kedge-identity' };
const ca = TestCa.create();
const issuer = ca.intermediate().certificate;
const webhook = ca.leaf().certificate;

function expiring(settings: Readonly<Record<string, string>>, inUse: Partial<InUse> = {}): unknown[] {
  const { notBefore, notAfter, fingerprint } = issuer;
  const state: IssuerState = { state: 'ready', notBefore, notAfter, fingerprint };
  const config = readEnvironment(identitySettings, settings);
  const all = expiringNow(config, service, { anchors: ca.bundle, issuer: state, webhook, ...inUse });
  return all.map(({ what, regarding: { kind, namespace, name }, notAfter: end }) => [
    what,
    `${kind} ${namespace}/${name}`,
    end,
  ]);
}

const anchorEnd = ca.certificate.notAfter;

describe('expiringNow', () => {
  it('names anchors, issuer and the certificate of a webhook, each with the object that holds it', () => {
    const settings = {
      KEDGE_ISSUER_LOCAL_SECRET: 'kedge-issuer',
      KEDGE_TRUST_BUNDLE_CONFIG_MAP: 'kedge-trust-bundle',
      KEDGE_WEBHOOK_CERTIFICATE_SECRET: 'kedge-webhook',
    };
    expect(expiring(settings)).toEqual([
      ['trust anchor', 'ConfigMap kedge/kedge-trust-bundle', anchorEnd],
      ['issuer', 'Secret kedge/kedge-issuer', issuer.notAfter],
      ['webhook certificate', 'Secret kedge/kedge-webhook', webhook.notAfter],
    ]);
  });

  it('names the service where files hold them, and the ConfigMap of somebody else', () => {
    const settings = { KEDGE_ISSUER_LOCAL_DIR: '/ca', KEDGE_TRUST_ANCHORS_CONFIG_MAP: 'others/anchors' };
    expect(expiring(settings, { webhook: undefined })).toEqual([
      ['trust anchor', 'ConfigMap others/anchors', anchorEnd],
      ['issuer', 'Deployment kedge/kedge-identity', issuer.notAfter],
    ]);
  });

  it('names nothing that is not there', () => {
    const state: IssuerState = { state: 'unavailable', reason: 'not read yet' };
    expect(expiring({}, { anchors: undefined, issuer: state, webhook: undefined })).toEqual([]);
  });
});
