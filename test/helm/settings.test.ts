import { readDestinationSettings, destinationSettings } from '../../src/destination/settings.ts';
import { identityChecks, identitySettings } from '../../src/identity/settings.ts';
import { checkIssuerConfig } from '../../src/issuers/create-issuer.ts';
import { readEnvironment } from '../../src/runtime/env.ts';
import type { Environment, Settings } from '../../src/runtime/env.ts';
import { environmentOf, onHelm, render } from './rendered-chart.ts';
import type { Values } from './rendered-chart.ts';

/** Set by Kubernetes in every container. */
const inCluster: Environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

const readIdentitySettings = (env: Environment): unknown =>
  readEnvironment(identitySettings, env, ...identityChecks, checkIssuerConfig);

const processes: [name: string, settings: Settings, read: (env: Environment) => unknown][] = [
  ['identity', identitySettings, readIdentitySettings],
  ['destination', destinationSettings, readDestinationSettings],
];

const variants: [what: string, values: Values][] = [
  ['its own values', {}],
  [
    'every value another',
    {
      trustDomain: 'example.org',
      clusterDomain: 'cluster.example.org',
      clusterNetworks: ['10.244.0.0/16', 'fd00:10::/32'],
      logLevel: 'debug',
      local: { secret: 'issuer', bootstrap: false },
      identity: { issuanceLifetime: '1h30m', clockSkewAllowance: '0s' },
      policy: { defaultInboundPolicy: 'deny', opaquePorts: '3306,8000-8010' },
      destination: { clients: 'meshed' },
    },
  ],
  ['another Secret for the anchor', { local: { anchorSecret: 'anchor' } }],
  ['Vault', { issuer: 'vault' }],
  [
    'Vault and all that there is to say of it',
    {
      issuer: 'vault',
      identity: { issuerRate: 100, podAnnotations: { 'example.org/a': 'b' } },
      vault: {
        mode: 'intermediate',
        address: 'https://vault.example.org',
        caConfigMap: 'vault-ca',
        serverName: 'vault.internal',
        namespace: 'teams/mesh',
        auth: { method: 'jwt', mount: 'jwt/mesh', role: 'mesh', audience: 'https://vault.example.org' },
        pki: { mount: 'teams/mesh/pki', role: 'mesh', issuer: 'mesh-2026' },
        intermediateLifetime: '48h',
        anchorSha256: 'ab'.repeat(32),
      },
    },
  ],
  ['Vault with AppRole', { issuer: 'vault', vault: { auth: { method: 'approle', secret: 'vault-login' } } }],
  [
    'Vault with a certificate',
    { issuer: 'vault', vault: { auth: { method: 'cert', secret: 'vault-login' } } },
  ],
  ['Vault with a token in a file', { issuer: 'vault', vault: { auth: { method: 'token-file' } } }],
  [
    'Vault on a development server',
    {
      issuer: 'vault',
      vault: { address: 'http://vault:8200', allowPlaintext: true, anchorSha256: 'ab'.repeat(32) },
    },
  ],
  ['cert-manager', { issuer: 'cert-manager' }],
  [
    'an issuer of cert-manager that signs each certificate',
    {
      issuer: 'cert-manager',
      certManager: {
        mode: 'direct',
        issuerRef: { name: 'company', kind: 'CompanyIssuer', group: 'pki.example.org' },
        maxRequests: 10,
      },
      trust: { configMap: 'cert-manager/anchors', key: 'trust.pem' },
    },
  ],
  [
    'Vault and what signs while it is away',
    { issuer: 'vault', fallbacks: ['cert-manager', 'local'], local: { secret: 'spare' } },
  ],
  [
    'cert-manager asked for each certificate, and Vault while it is away',
    { issuer: 'cert-manager', certManager: { mode: 'direct' }, fallbacks: ['vault'] },
  ],
];

onHelm('the settings that the chart gives', () => {
  describe.each(processes)('to %s', (name, settings, read) => {
    it.each(variants)('are known and can be used, with %s', async (_what, values) => {
      const env = environmentOf(await render(values), `kedge-${name}`);
      const known = Object.values(settings).map((setting) => setting.name);
      expect(known).toEqual(expect.arrayContaining(Object.keys(env)));
      expect(() => read({ ...inCluster, ...env })).not.toThrow();
    });
  });

  it.each([
    'all-unauthenticated',
    'all-authenticated',
    'cluster-unauthenticated',
    'cluster-authenticated',
    'deny',
    'audit',
  ])('may have the policy %s', async (defaultInboundPolicy) => {
    const env = environmentOf(await render({ policy: { defaultInboundPolicy } }), 'kedge-destination');
    expect(() => readDestinationSettings({ ...inCluster, ...env })).not.toThrow();
  });
});
