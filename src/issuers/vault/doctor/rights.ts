import { errorCode } from '../../../runtime/errors.ts';
import { failure } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import { fieldsOf, type VaultClient } from '../vault-client.ts';
import type { PolicyRule, VaultSetup } from './vault-setup.ts';

/** What the token may do, as far as it was asked; undefined where it may not ask. */
type Capabilities = ReadonlyMap<string, readonly string[]> | undefined;

/** Rights that nobody who asks for certificates needs, by what they would allow. */
interface ForbiddenRights extends Check {
  readonly paths: readonly string[];
  /** Reading is too much as well. */
  readonly read?: true;
}

const capabilitiesPath = 'sys/capabilities-self';
/** A name that no role, policy or mount has. */
const nobody = 'kedge-doctor';

export interface RightsOptions {
  readonly client: Pick<VaultClient, 'write'>;
  readonly token: string;
  readonly setup: VaultSetup;
  /** The mount of the log-in, such as `kubernetes`. */
  readonly authMount: string;
  /** The token is that of whoever runs the doctor: it says nothing of what the identity service may not do. */
  readonly ownToken: boolean;
  readonly signal: AbortSignal;
}

/** What the policy allows: all that is needed, and nothing by which more could be signed than that. */
export async function examineRights(options: RightsOptions): Promise<Finding[]> {
  const { setup, ownToken } = options;
  const forbidden = forbiddenRights(options);
  const ask: Check = { check: 'vault.right.capabilities-self', title: `may use ${capabilitiesPath}` };
  let capabilities: Capabilities;
  try {
    const paths = [...setup.rules.map(({ path }) => path), ...forbidden.flatMap((each) => each.paths)];
    capabilities = await readCapabilities(options, paths);
  } catch (error) {
    if (errorCode(error) !== 'vault_forbidden') return [failure(ask, error)];
    const advice = adviceOf({ path: capabilitiesPath, capability: 'update' });
    return [warned(ask, 'it may not: what the token may do cannot be told', advice)];
  }
  const needed = setup.rules.map((rule) => examineNeeded(rule, capabilities));
  const notTold = ({ check, title }: Check): Finding =>
    skipped({ check, title }, 'the token is yours, not that of the identity service');
  return [
    ...needed,
    ...forbidden.map((each) => (ownToken ? notTold(each) : examineForbidden(each, capabilities))),
  ];
}

function examineNeeded(rule: PolicyRule, capabilities: Capabilities): Finding {
  const { name, path, capability, vital } = rule;
  const check: Check = { check: `vault.right.${name}`, title: `may use ${path}` };
  const got = capabilities?.get(path) ?? [];
  if (got.includes(capability) || got.includes('root')) return passed(check, capability);
  const seen = `it may not: got ${got.join(', ') || 'nothing'}`;
  return vital ? failed(check, seen, adviceOf(rule)) : warned(check, `${seen}. ${rule.why}`, adviceOf(rule));
}

function adviceOf({ path, capability }: Pick<PolicyRule, 'path' | 'capability'>): {
  concerns: string;
  remedy: string;
} {
  return {
    concerns: `policy ${path}`,
    remedy: `Add to the policy: path "${path}" { capabilities = ["${capability}"] }. \`kedge doctor issuer --print\` prints all of it.`,
  };
}

function examineForbidden({ paths, read, ...check }: ForbiddenRights, capabilities: Capabilities): Finding {
  const tooMuch = (each: string): boolean => (read ? each !== 'deny' : writing.has(each));
  const allowed = paths.filter((path) => capabilities?.get(path)?.some(tooMuch) === true);
  const [first] = allowed;
  if (first === undefined) return passed(check, 'denied');
  return failed(check, `it may: ${allowed.join(', ')}`, {
    concerns: `policy ${first}`,
    remedy:
      'Take these paths, and globs that cover them, out of the policies of the token. `kedge doctor issuer --print` prints one that suffices.',
  });
}

const writing: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'sudo', 'root']);

function forbiddenRights({ setup, authMount }: RightsOptions): ForbiddenRights[] {
  const { mount, role, rolePath, mode, policy, rules } = setup;
  const used = new Set(rules.map(({ path }) => path));
  const inMount = (...paths: string[]): string[] =>
    paths.map((path) => `${mount}/${path}`).filter((path) => !used.has(path));
  const around = [
    ...['sign-verbatim', `sign-verbatim/${role}`, 'issuer/default/sign-verbatim'],
    ...(mode === 'direct' ? [`sign/${nobody}`, `issuer/${nobody}/sign/${role}`, `issue/${role}`] : []),
  ];
  const cas = [
    ...['root/sign-intermediate', `issuer/${nobody}/sign-intermediate`, 'root/sign-self-issued'],
    ...['root/generate/internal', 'root/rotate/internal', 'intermediate/generate/internal'],
    ...['intermediate/set-signed', 'intermediate/cross-sign', 'issuers/import/bundle', 'keys/import'],
    ...['config/ca', 'config/issuers', 'issuer/default', 'root'],
  ];
  return [
    {
      check: 'vault.no-right.around',
      title: mode === 'direct' ? 'may not sign past the role' : 'may not sign whatever is asked for',
      paths: inMount(...around),
    },
    { check: 'vault.no-right.ca', title: 'may not make or change CAs', paths: inMount(...cas) },
    {
      check: 'vault.no-right.role',
      title: 'may not change roles',
      paths: [rolePath, ...inMount(`roles/${nobody}`)],
    },
    {
      check: 'vault.no-right.revoke',
      title: 'may not revoke what others use',
      paths: inMount('revoke', 'revoke-with-key', 'tidy'),
    },
    {
      check: 'vault.no-right.vault',
      title: 'may not give itself rights',
      paths: [
        ...[policy, nobody].flatMap((name) => [`sys/policies/acl/${name}`, `sys/policy/${name}`]),
        // The role of the log-in is called as the policy.
        ...[policy, nobody].flatMap((name) => [
          `auth/${authMount}/role/${name}`,
          `auth/${authMount}/certs/${name}`,
        ]),
        ...[`auth/${authMount}/config`, `sys/auth/${nobody}`, `sys/mounts/${nobody}`, `sys/mounts/${mount}`],
        ...['sys/remount', 'identity/entity', 'auth/token/create', 'auth/token/create-orphan'],
        `auth/token/roles/${nobody}`,
      ],
    },
    {
      check: 'vault.no-right.others',
      title: 'may not read what is of others',
      paths: [`${nobody}/${nobody}`],
      read: true,
    },
  ];
}

async function readCapabilities(
  { client, token, signal }: RightsOptions,
  paths: readonly string[],
): Promise<Capabilities> {
  const answer = await client.write(capabilitiesPath, { paths: [...new Set(paths)] }, { token, signal });
  const fields = fieldsOf(fieldsOf(answer)['data'] ?? answer);
  return new Map(
    paths.map((path) => {
      const got = fields[path];
      return [path, Array.isArray(got) ? got.filter((each) => typeof each === 'string') : []];
    }),
  );
}
