import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { chart } from '../cluster/helm.ts';
import { onHelm, renderText } from './rendered-chart.ts';
import type { Values } from './rendered-chart.ts';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
}

const read = (file: string): string => readFileSync(path.join(chart, file), 'utf8');
const values = parse(read('values.yaml')) as Values;
const schema = JSON.parse(read('values.schema.json')) as Schema;

/** Paths of the values whose blocks the schema lists, `a.b`, and of those blocks. */
function pathsOfSchema({ properties = {} }: Schema, before: string[] = []): string[] {
  return Object.entries(properties).flatMap(([name, below]) => {
    const here = [...before, name];
    return [here.join('.'), ...pathsOfSchema(below, here)];
  });
}

/** The same of the values, as deep as the schema goes. */
function pathsOfValues(given: unknown, { properties }: Schema, before: string[] = []): string[] {
  if (properties === undefined) return [];
  return Object.entries(given as Values).flatMap(([name, below]) => {
    const here = [...before, name];
    return [here.join('.'), ...pathsOfValues(below, properties[name] ?? {}, here)];
  });
}

function blocks(part: Schema): Schema[] {
  const below = Object.values(part.properties ?? {}).flatMap(blocks);
  return part.properties === undefined ? below : [part, ...below];
}

describe('the values of the chart', () => {
  it('are all in the schema, and the schema knows no other but what is global', () => {
    const known = pathsOfSchema(schema).filter((name) => name !== 'global');
    expect(pathsOfValues(values, schema).toSorted()).toEqual(known.toSorted());
  });

  it('leave no block of the schema open', () => {
    for (const block of blocks(schema)) expect(block).toMatchObject({ additionalProperties: false });
    expect(schema.properties?.['global']).toEqual({ type: 'object' });
  });
});

const vault = { issuer: 'vault' };
const anchors = '-----BEGIN CERTIFICATE-----';

onHelm('values that mean nothing', () => {
  it.each<[said: string, values: Values]>([
    [`at '': additional properties 'trustdomain' not allowed`, { trustdomain: 'a' }],
    [`at '/identity': additional properties 'replica' not allowed`, { identity: { replica: 2 } }],
    [`at '/issuer': value must be one of 'local', 'vault', 'cert-manager'`, { issuer: 'file' }],
    [`at '/identity/replicas': got string, want integer`, { identity: { replicas: '2' } }],
    [`at '/identity/replicas': minimum: got 0, want 1`, { identity: { replicas: 0 } }],
    [`at '/identity/issuanceLifetime': '1d' does not match`, { identity: { issuanceLifetime: '1d' } }],
    [`at '/local/bootstrap': got string, want boolean`, { local: { bootstrap: 'yes' } }],
    [`at '/crds/install': value must be one of 'absent', 'always', 'never'`, { crds: { install: true } }],
    [`at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error'`, { logLevel: 'trace' }],
    [`at '/policy/defaultInboundPolicy': value must be one of`, { policy: { defaultInboundPolicy: 'open' } }],
    [`at '/policy/opaquePorts': 'http' does not match`, { policy: { opaquePorts: 'http' } }],
    [`at '/clusterNetworks/0': '10.0.0.0' does not match`, { clusterNetworks: ['10.0.0.0'] }],
    [`at '/trustDomain': 'Example.Org' does not match`, { trustDomain: 'Example.Org' }],
    [
      'expected local.secret and local.anchorSecret to be two Secrets',
      { local: { secret: 'kedge-trust-anchor' } },
    ],
    [
      'got both: the trust anchors have one place',
      { ...vault, trust: { anchors, configMap: 'pki/anchors' } },
    ],
    ['expected no trust.anchors with local.bootstrap', { trust: { anchors } }],
    ['expected no trust.configMap with local.bootstrap', { trust: { configMap: 'pki/anchors' } }],
    [`at '/trust/anchors': 'anchors.pem' does not match`, { ...vault, trust: { anchors: 'anchors.pem' } }],
    [`at '/trust/configMap': 'anchors' does not match`, { ...vault, trust: { configMap: 'anchors' } }],
    [`at '/vault/auth/method': value must be one of`, { ...vault, vault: { auth: { method: 'ldap' } } }],
    [`at '/vault/pki/mount': '/pki/' does not match`, { ...vault, vault: { pki: { mount: '/pki/' } } }],
    [
      'expected vault.auth.secret, the name of a Secret, as vault.auth.method is "approle"',
      { ...vault, vault: { auth: { method: 'approle' } } },
    ],
    [
      'expected vault.address to begin with https://, got "http://vault:8200"',
      { ...vault, vault: { address: 'http://vault:8200' } },
    ],
    [`at '/fallbacks/0': value must be one of`, { ...vault, fallbacks: ['file'] }],
    ['expected fallbacks without the issuer itself, got vault', { ...vault, fallbacks: ['vault'] }],
    [
      'as the CA of issuer "cert-manager" does not sign each certificate itself, got vault',
      { issuer: 'cert-manager', fallbacks: ['vault'] },
    ],
    [
      'expected local.secret and certManager.secret to be two Secrets, as both are fallbacks, got "kedge-issuer"',
      { ...vault, fallbacks: ['local', 'cert-manager'] },
    ],
    [
      'whoever is on the way could show an anchor of its own',
      { ...vault, vault: { address: 'http://vault:8200', allowPlaintext: true } },
    ],
  ])('are refused: %s', async (said, given) => {
    await expect(renderText(given)).rejects.toThrow(said);
  });

  it('are not those of a chart above this one', async () => {
    await expect(renderText({ global: { registry: 'mirror' } })).resolves.toContain('kind: Deployment');
  });
});
