import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkIssuerConfig } from '../../src/issuers/create-issuer.ts';
import { printCertManager } from '../../src/issuers/cert-manager/doctor/print-cert-manager.ts';
import { issuerSettings } from '../../src/issuers/settings.ts';
import { roleValues, vaultSetup } from '../../src/issuers/vault/doctor/vault-setup.ts';
import { policyText } from '../../src/issuers/vault/doctor/print-vault.ts';
import { MeshDomain } from '../../src/pki/workload-identity.ts';
import { readEnvironment } from '../../src/runtime/env.ts';
import { parseManifests } from '../helm/rendered-chart.ts';

const docs = path.join(import.meta.dirname, '..', '..', 'docs');
const folder = path.join(docs, 'issuers');
const read = (...names: string[]): string => readFileSync(path.join(docs, ...names), 'utf8');
const pages = readdirSync(folder).map((name) => ({ name, text: read('issuers', name) }));
const every = pages.map(({ text }) => text).join('\n');

const mesh = {
  ...{ controlNamespace: 'kedge', trustDomain: 'cluster.local', serviceAccount: 'kedge-identity' },
  identity: new MeshDomain('kedge', 'cluster.local').identity('kedge', 'kedge-identity'),
  lifetimeMs: 24 * 3_600_000,
};

/** The lines of a policy, without what is said of them; in any order. */
const rulesOf = (policy: string): string[] =>
  policy
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();

/** What stands between two texts. */
function between(text: string, from: string, to: string): string {
  const at = text.indexOf(from) + from.length;
  return text.slice(at, text.indexOf(to, at));
}

describe('the pages that set an issuer up', () => {
  it.each(['direct', 'intermediate'])('show the policy that the doctor prints, for Vault %s', (mode) => {
    const env = { KEDGE_ISSUER: 'vault', KEDGE_ISSUER_MODE: mode };
    const config = readEnvironment(issuerSettings, env, checkIssuerConfig);
    const { rules } = vaultSetup(config, mesh);
    const shown = between(read('issuers', `vault-${mode}.md`), "<<'POLICY'\n", '\nPOLICY');
    expect(rulesOf(shown)).toEqual(rulesOf(policyText(rules)));
  });

  it('show the role that the doctor prints', () => {
    const shown = between(read('issuers', 'vault-direct.md'), 'vault write pki/roles/kedge', '```');
    const fields = [...shown.matchAll(/^ {2}(\w+)='?([^'\\\n]*?)'? ?\\?$/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(Object.fromEntries(fields)).toEqual(roleValues(mesh));
  });

  it('show what the doctor prints for an approver of cert-manager', () => {
    const env = { KEDGE_ISSUER: 'cert-manager', KEDGE_ISSUER_MODE: 'direct' };
    const printed = printCertManager(readEnvironment(issuerSettings, env, checkIssuerConfig), mesh);
    const page = read('issuers', 'cert-manager-direct.md');
    const [policy, ...rights] = parseManifests(between(page, '```yaml\n', '```'));
    expect(policy?.kind).toBe('CertificateRequestPolicy');
    expect(parseManifests(printed).slice(-1 - rights.length)).toEqual([policy, ...rights]);
  });

  it('lead only to pages that are there', () => {
    const links = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => `${name} -> ${target}`),
    );
    expect(links.length).toBeGreaterThan(20);
    const there = (link: string): boolean => existsSync(path.join(folder, link.split(' -> ')[1] ?? ''));
    expect(links.filter((link) => !there(link))).toEqual([]);
  });

  it('name only error codes, metrics, settings and values that there are', () => {
    const known = [read('errors.md'), read('metrics.md'), read('configuration.md')].join('\n');
    const values = readFileSync(path.join(docs, '..', 'helm', 'README.md'), 'utf8');
    const named = (pattern: RegExp): string[] => [...new Set(every.match(pattern) ?? [])];
    const codes = named(/(?<=`)(?:vault|certificate|issuer|ca|kedge)_[a-z_]+(?=[`{])/g);
    const settings = named(/\bKEDGE_[A-Z0-9_]+/g);
    expect(codes.length).toBeGreaterThan(10);
    expect([...codes, ...settings].filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
    const set = named(/(?<=--set(?:-file)? )(?!KEDGE)(?:\w+\.)*\w+(?==)/g);
    expect(set.length).toBeGreaterThan(10);
    expect(set.filter((name) => !values.includes(`\`${name}\``))).toEqual([]);
  });
});
