import type { ExaminedMesh } from '../../../../src/issuers/doctor/needs.ts';
import { roleFaults } from '../../../../src/issuers/vault/doctor/role-rules.ts';
import { MeshDomain } from '../../../../src/pki/workload-identity.ts';

const mesh: ExaminedMesh = {
  identity: new MeshDomain('kedge', 'cluster.local').identity('kedge', 'kedge-identity'),
  trustDomain: 'cluster.local',
  controlNamespace: 'kedge',
  serviceAccount: 'kedge-identity',
  lifetimeMs: 24 * 3_600_000,
};

/** As a server shows it. */
const role = {
  key_type: 'ec',
  key_bits: 256,
  require_cn: false,
  use_csr_common_name: false,
  use_csr_sans: false,
  allowed_domains: ['serviceaccount.identity.kedge.cluster.local'],
  allow_subdomains: true,
  allowed_uri_sans: ['spiffe://cluster.local/ns/*/sa/*'],
  allow_ip_sans: false,
  allow_localhost: false,
  allow_wildcard_certificates: false,
  key_usage: ['DigitalSignature'],
  max_ttl: 86_400,
  no_store: true,
};

describe('the faults of a role', () => {
  it('are none in the role that is printed', () => {
    expect(roleFaults(role, mesh)).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['any kind of key', { key_type: 'any', key_bits: 0 }],
    [
      'a domain within the names',
      { allowed_domains: [...role.allowed_domains, 'shop.serviceaccount.identity.kedge.cluster.local'] },
    ],
    ['one namespace after another', { allowed_uri_sans: ['spiffe://cluster.local/*'] }],
    ['a somewhat longer life', { max_ttl: 2 * 86_400 }],
    ['usages in long names', { key_usage: ['KeyUsageDigitalSignature'] }],
  ])('are none in one that takes %s', (_, change) => {
    expect(roleFaults({ ...role, ...change }, mesh)).toEqual([]);
  });

  it.each<[string, unknown, 'fail' | 'warn']>([
    ['key_type', 'rsa', 'fail'],
    ['key_bits', 384, 'fail'],
    ['require_cn', true, 'fail'],
    ['use_csr_common_name', true, 'warn'],
    ['use_csr_sans', true, 'fail'],
    ['allowed_domains', ['example.org'], 'fail'],
    ['allowed_domains', ['cluster.local'], 'fail'],
    ['allow_subdomains', false, 'fail'],
    ['allowed_uri_sans', ['spiffe://other/*'], 'fail'],
    ['allowed_uri_sans', ['spiffe://*'], 'fail'],
    ['allow_any_name', true, 'fail'],
    ['allow_ip_sans', true, 'fail'],
    ['allow_localhost', true, 'fail'],
    ['allow_wildcard_certificates', true, 'fail'],
    ['server_flag', false, 'fail'],
    ['client_flag', false, 'fail'],
    ['code_signing_flag', true, 'fail'],
    ['email_protection_flag', true, 'fail'],
    ['ext_key_usage', ['CodeSigning'], 'fail'],
    ['ext_key_usage_oids', ['1.3.6.1.5.5.7.3.3'], 'fail'],
    ['allowed_other_sans', ['*'], 'fail'],
    ['not_after', '2027-10-01T00:00:00Z', 'fail'],
    ['not_before_duration', 172_800, 'warn'],
    ['enforce_hostnames', false, 'warn'],
    ['signature_bits', 512, 'warn'],
    ['use_pss', true, 'warn'],
    ['key_usage', ['KeyEncipherment'], 'fail'],
    ['key_usage', ['DigitalSignature', 'CertSign'], 'fail'],
    ['key_usage', ['DigitalSignature', 'KeyAgreement'], 'warn'],
    ['max_ttl', 0, 'warn'],
    ['max_ttl', 3_600, 'warn'],
    ['max_ttl', 10 * 86_400, 'warn'],
    ['max_ttl', 366 * 86_400, 'fail'],
    ['no_store', false, 'warn'],
    ['generate_lease', true, 'warn'],
  ])('are named one by one: %s is %j', (field, value, result) => {
    const faults = roleFaults({ ...role, [field]: value }, mesh);
    expect(faults).toMatchObject([{ field, result }]);
    expect(faults[0]?.wanted).toMatch(new RegExp(`^${field}=.`));
    expect(faults[0]?.seen).toMatch(new RegExp(`^${field} is .+: .+`));
  });

  it.each([
    [10 * 86_400, 'max_ttl=24h ttl=0'],
    [86_400, 'max_ttl=24h'],
    [0, 'max_ttl=24h'],
  ])('mend max_ttl so that the server takes it beside a ttl of %d', (ttl, wanted) => {
    const faults = roleFaults({ ...role, ttl, max_ttl: 20 * 86_400 }, mesh);
    expect(faults).toMatchObject([{ field: 'max_ttl', wanted }]);
  });
});
