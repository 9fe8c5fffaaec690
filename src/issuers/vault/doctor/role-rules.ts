import { namesEnd, yearMs, type ExaminedMesh } from '../../doctor/needs.ts';
import { roundDuration } from '../../doctor/probes.ts';
import { roleValues } from './vault-setup.ts';

/** The role as Vault shows it. */
export type RoleFields = Readonly<Record<string, unknown>>;

/** What is wrong with one field of a role. */
export interface RoleFault {
  readonly field: string;
  readonly result: 'fail' | 'warn';
  readonly seen: string;
  /** What `vault patch` is to be given. */
  readonly wanted: string;
}

interface RoleRule {
  readonly field: string;
  readonly wanted: string | ((role: RoleFields) => string);
  readonly fault: (role: RoleFields) => readonly [result: 'fail' | 'warn', seen: string] | undefined;
}

/** Every field that differs from what the mesh needs, or lets more be signed than it needs. */
export function roleFaults(role: RoleFields, mesh: ExaminedMesh): RoleFault[] {
  return roleRules(mesh).flatMap(({ field, wanted, fault }) => {
    const found = fault(role);
    if (found === undefined) return [];
    const [result, seen] = found;
    return [
      {
        ...{ field, result, seen: `${field} is ${shown(role[field])}: ${seen}` },
        wanted: `${field}=${typeof wanted === 'string' ? wanted : wanted(role)}`,
      },
    ];
  });
}

function roleRules(mesh: ExaminedMesh): RoleRule[] {
  const values = roleValues(mesh);
  const mustBe = (
    field: string,
    value: boolean,
    result: 'fail' | 'warn',
    seen: string,
    otherwise = !value,
  ): RoleRule => ({
    field,
    wanted: String(value),
    fault: (role) => ((role[field] ?? otherwise) === value ? undefined : [result, seen]),
  });
  const rule = (field: string, fault: RoleRule['fault'], wanted = values[field] ?? ''): RoleRule => ({
    field,
    wanted,
    fault,
  });
  return [
    rule('key_type', keyTypeFault),
    rule('key_bits', keyBitsFault, '0'),
    mustBe('require_cn', false, 'fail', 'proxies ask for no common name'),
    mustBe('use_csr_common_name', false, 'warn', 'a common name that nobody needs gets into certificates'),
    mustBe('use_csr_sans', false, 'fail', 'who asks as Linkerd’s proxy does gets no SPIFFE ID'),
    rule('allowed_domains', (role) => domainFault(role, mesh)),
    rule('allow_subdomains', (role) => subdomainFault(role, mesh)),
    rule('allowed_uri_sans', (role) => uriFault(role, mesh), `'${values['allowed_uri_sans'] ?? ''}'`),
    mustBe('allow_any_name', false, 'fail', 'it signs any DNS name', false),
    mustBe('allow_ip_sans', false, 'fail', 'it signs IP addresses'),
    mustBe('allow_localhost', false, 'fail', 'it signs localhost'),
    mustBe(
      'allow_wildcard_certificates',
      false,
      'fail',
      'it signs names for all workloads of a namespace at once',
    ),
    mustBe('server_flag', true, 'fail', 'certificates are not for servers', true),
    mustBe('client_flag', true, 'fail', 'certificates are not for clients', true),
    mustBe('code_signing_flag', false, 'fail', 'certificates are for signing code', false),
    mustBe('email_protection_flag', false, 'fail', 'certificates are for mail', false),
    ...['ext_key_usage', 'ext_key_usage_oids'].map((field) =>
      mustBeEmpty(field, 'certificates are for more than servers and clients'),
    ),
    mustBeEmpty('allowed_other_sans', 'it signs names of other kinds'),
    mustBeEmpty('not_after', 'it has an end of its own, and refuses the lifetime that is asked for'),
    rule('not_before_duration', backdatedFault, '30s'),
    mustBe('enforce_hostnames', true, 'warn', 'it signs names that are none of a host', true),
    ...signatureRules,
    rule('key_usage', keyUsageFault),
    lifetimeRule(mesh),
    mustBe(
      'no_store',
      true,
      'warn',
      'each certificate is stored, which fills the storage of Vault and slows it',
      false,
    ),
    mustBe('generate_lease', false, 'warn', 'each certificate makes a lease, which slows Vault', false),
  ];
}

function keyTypeFault({ key_type: type = 'rsa' }: RoleFields): ReturnType<RoleRule['fault']> {
  return type === 'ec' || type === 'any' ? undefined : ['fail', 'proxies have keys of EC P-256'];
}

function keyBitsFault({ key_type: type, key_bits: bits = 0 }: RoleFields): ReturnType<RoleRule['fault']> {
  const fits = type !== 'ec' || bits === 0 || bits === 256;
  return fits ? undefined : ['fail', 'proxies have keys of EC P-256'];
}

function domainFault(role: RoleFields, mesh: ExaminedMesh): ReturnType<RoleRule['fault']> {
  const domains = textsOf(role['allowed_domains']);
  const own = namesEnd(mesh);
  const wider = domains.filter((each) => each !== own && !each.endsWith(`.${own}`));
  if (role['allow_any_name'] !== true && !domains.some((each) => isUnder(own, each) || each.includes('*'))) {
    return ['fail', 'the names of the mesh are not under it'];
  }
  if (wider.length === 0) return undefined;
  return ['fail', `it signs names that no workload has, under ${wider.slice(0, 4).join(', ')}`];
}

function subdomainFault(role: RoleFields, mesh: ExaminedMesh): ReturnType<RoleRule['fault']> {
  if (role['allow_subdomains'] === true || role['allow_any_name'] === true) return undefined;
  const byGlob =
    role['allow_glob_domains'] === true &&
    textsOf(role['allowed_domains']).some((each) => matchesGlob(mesh.identity.dnsName, each));
  return byGlob ? undefined : ['fail', 'the names of workloads are below allowed_domains'];
}

function uriFault(role: RoleFields, mesh: ExaminedMesh): ReturnType<RoleRule['fault']> {
  const globs = textsOf(role['allowed_uri_sans']);
  if (!globs.some((glob) => matchesGlob(mesh.identity.spiffeId, glob))) {
    return ['fail', 'the SPIFFE IDs of the mesh are not under it'];
  }
  const wider = globs.filter((glob) => !glob.startsWith(`spiffe://${mesh.trustDomain}/`));
  return wider.length === 0
    ? undefined
    : ['fail', `it signs other URIs, under ${wider.slice(0, 4).join(', ')}`];
}

function mustBeEmpty(field: string, seen: string): RoleRule {
  const fault: RoleRule['fault'] = (role) => (textsOf(role[field]).length === 0 ? undefined : ['fail', seen]);
  return { field, wanted: '""', fault };
}

/** What peers take of some kinds of CA only, so what a CA signs on trial decides. */
const signatureRules: readonly RoleRule[] = [
  {
    field: 'signature_bits',
    wanted: '0',
    fault: ({ signature_bits: bits }) =>
      bits === 512 ? ['warn', 'peers take no signatures by ECDSA with SHA-512'] : undefined,
  },
  {
    field: 'use_pss',
    wanted: 'false',
    fault: ({ use_pss: pss }) => (pss === true ? ['warn', 'peers take no signatures by RSA-PSS'] : undefined),
  },
];

function backdatedFault({ not_before_duration: seconds }: RoleFields): ReturnType<RoleRule['fault']> {
  return Number(seconds ?? 0) > 3600 ? ['warn', 'certificates begin long before they are signed'] : undefined;
}

function keyUsageFault({ key_usage: value }: RoleFields): ReturnType<RoleRule['fault']> {
  const usages = textsOf(value).map((each) => each.toLowerCase().replace(/^keyusage/, ''));
  if (!usages.includes('digitalsignature')) return ['fail', 'certificates may not sign, which TLS needs'];
  if (usages.some((each) => each === 'certsign' || each === 'crlsign')) {
    return ['fail', 'certificates may sign others'];
  }
  return usages.length === 1 ? undefined : ['warn', 'certificates may do more than TLS needs'];
}

/** A server takes no max_ttl that is shorter than the ttl beside it. */
function lifetimeRule(mesh: ExaminedMesh): RoleRule {
  const { max_ttl: longest = '' } = roleValues(mesh);
  return {
    field: 'max_ttl',
    wanted: ({ ttl }) => (Number(ttl ?? 0) * 1000 > mesh.lifetimeMs ? `${longest} ttl=0` : longest),
    fault: (role) => lifetimeFault(role, mesh),
  };
}

function lifetimeFault(
  { max_ttl: seconds }: RoleFields,
  { lifetimeMs }: ExaminedMesh,
): ReturnType<RoleRule['fault']> {
  const ms = Number(seconds ?? 0) * 1000;
  if (ms === 0) return ['warn', 'the limit of the mount holds, which is far longer as a rule'];
  if (ms < lifetimeMs) return ['warn', `shorter than KEDGE_ISSUANCE_LIFETIME (${roundDuration(lifetimeMs)})`];
  if (ms <= 2 * lifetimeMs) return undefined;
  const longer = `longer than KEDGE_ISSUANCE_LIFETIME (${roundDuration(lifetimeMs)})`;
  return [ms >= yearMs ? 'fail' : 'warn', longer];
}

function textsOf(value: unknown): string[] {
  const texts = Array.isArray(value)
    ? (value as unknown[])
    : typeof value === 'string'
      ? value.split(',')
      : [];
  return texts.filter((each): each is string => typeof each === 'string' && each !== '');
}

function isUnder(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** `*` stands for any text, as the engine has it. */
function matchesGlob(text: string, glob: string): boolean {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

/** Numbers of a role are seconds. */
function shown(value: unknown): string {
  if (value === undefined || value === '') return 'not set';
  if (Array.isArray(value)) return textsOf(value).slice(0, 8).join(',') || 'empty';
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200);
}
