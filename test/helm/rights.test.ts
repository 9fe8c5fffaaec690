import { rightsNeeded } from '../../src/identity/cluster/rights.ts';
import { identitySettings } from '../../src/identity/settings.ts';
import { readEnvironment } from '../../src/runtime/env.ts';
import { rightsOf } from '../cluster/chart/access.ts';
import type { Access } from '../cluster/chart/access.ts';
import { environmentOf, onHelm, render } from './rendered-chart.ts';
import type { Values } from './rendered-chart.ts';

/** What Kubernetes gives to everybody, and the chart again; the code does not ask whether it has it. */
const everybodys = new Set([
  'selfsubjectaccessreviews.authorization.k8s.io',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
]);

const shown = ({ verb, resource, namespace = 'any', name = 'any' }: Access): string =>
  `${verb} ${resource} ${namespace}/${name}`;

onHelm('the rights of identity', () => {
  it.each<[what: string, values: Values]>([
    ['its own values', {}],
    ['a CA that others keep', { local: { bootstrap: false, secret: 'issuer' } }],
    ['other Secrets', { local: { secret: 'issuer', anchorSecret: 'anchor' } }],
    ['Vault', { issuer: 'vault' }],
    ['Vault and the anchors of somebody else', { issuer: 'vault', trust: { configMap: 'pki/anchors' } }],
    ['cert-manager', { issuer: 'cert-manager', certManager: { secret: 'ca' } }],
    ['cert-manager asked for each certificate', { issuer: 'cert-manager', certManager: { mode: 'direct' } }],
    [
      'Vault and what signs while it is away',
      { issuer: 'vault', fallbacks: ['cert-manager', 'local'], local: { secret: 'spare' } },
    ],
    [
      'cert-manager asked for each certificate, and Vault while it is away',
      { issuer: 'cert-manager', certManager: { mode: 'direct' }, fallbacks: ['vault'] },
    ],
    [
      'cert-manager and the anchors of somebody else',
      { issuer: 'cert-manager', trust: { configMap: 'kedge/anchors' } },
    ],
  ])('are those that it asks for at its start, with %s', async (_what, values) => {
    const objects = await render(values);
    const config = readEnvironment(identitySettings, environmentOf(objects, 'kedge-identity'));
    const needed = rightsNeeded(config).map(({ resource: { plural, group }, ...right }) =>
      shown({ ...right, resource: group === '' ? plural : `${plural}.${group}` }),
    );
    const given = rightsOf(objects, 'kedge-identity').filter(({ resource }) => !everybodys.has(resource));
    expect(given.map(shown).toSorted()).toEqual(needed.toSorted());
  });
});
