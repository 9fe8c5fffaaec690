import { formatDuration } from '../../../runtime/durations.ts';
import { namesEnd, probeLifetimeMs, type ExaminedMesh } from '../../doctor/needs.ts';
import type { VaultIssuerConfig } from '../create-vault-issuer.ts';
import { intermediateRequest, intermediateTtl } from '../intermediate-request.ts';
import { pkiPaths } from '../pki-paths.ts';
import type { SignRequest } from '../sign-request.ts';
import { generateKeyPair } from '../../../pki/keys.ts';

/** One path of a policy. */
export interface PolicyRule {
  /** `sign`: the last part of the check. */
  readonly name: string;
  readonly path: string;
  readonly capability: 'read' | 'update';
  /** Why, for people. */
  readonly why: string;
  /** The only parameters that may be given, and the values that they may have; any where the list is empty. */
  readonly parameters?: Readonly<Record<string, readonly (string | boolean)[]>>;
  /** None of them may be missing. */
  readonly allRequired?: true;
  /** Where it is missing: whether certificates can no longer be had. */
  readonly vital: boolean;
}

/** Everything in Vault that suffices, and nothing beyond it. */
export interface VaultSetup {
  readonly mode: 'direct' | 'intermediate';
  /** The name of the policy. */
  readonly policy: string;
  readonly rules: readonly PolicyRule[];
  readonly mount: string;
  /** As KEDGE_VAULT_PKI_ISSUER names it. */
  readonly issuer: string | undefined;
  /** The role of the PKI engine ("direct"). */
  readonly role: string;
  readonly rolePath: string;
}

export function vaultSetup(config: VaultIssuerConfig, mesh: ExaminedMesh): VaultSetup {
  const { vaultPkiMount: mount, vaultPkiRole: role, vaultPkiIssuer: issuer } = config;
  const mode = config.issuerMode ?? 'direct';
  const paths = pkiPaths({ mount, role, issuer });
  const rolePath = `${mount}/roles/${role}`;
  const signing =
    mode === 'direct'
      ? [signRule(paths.sign), roleRule(rolePath)]
      : [intermediateRule(paths.signIntermediate, intermediateParameters(config, mesh))];
  // Whatever writes a token into a file keeps it, too.
  const keeps = config.vaultAuth !== 'token-file';
  return {
    ...{ mode, mount, issuer, role, rolePath, policy: config.vaultAuthRole },
    rules: [...signing, ...(keeps ? ownTokenRules : []), ...lookingRules],
  };
}

/** Just what the identity service sends: the engine does not hold max_ttl of the role against an end that the request names. */
const signParameters: Readonly<Record<keyof SignRequest, readonly (string | boolean)[]>> = {
  csr: [],
  common_name: [''],
  exclude_cn_from_sans: [true],
  alt_names: [],
  uri_sans: [],
  ttl: [],
  format: ['pem'],
};

/** For direct mode. Names and lifetimes are limited by the role. */
export function signRule(path: string): PolicyRule {
  const why = 'Signs each certificate, as the role allows and with nothing else set.';
  return { name: 'sign', path, capability: 'update', vital: true, why, parameters: signParameters };
}

function roleRule(path: string): PolicyRule {
  const why = 'For kedge doctor, which compares the role with what it needs.';
  return { name: 'role', path, capability: 'read', vital: false, why };
}

function intermediateRule(path: string, parameters: PolicyRule['parameters'] & object): PolicyRule {
  const why =
    'Signs an intermediate: for names of the trust domain, with no CA below it. Vault cannot limit how many, nor the names in the trust domain that they sign.';
  return {
    ...{ name: 'sign-intermediate', path, capability: 'update', vital: true, why },
    ...{ parameters, allRequired: true },
  };
}

const ownTokenRules: readonly PolicyRule[] = [
  {
    name: 'renew-self',
    path: 'auth/token/renew-self',
    capability: 'update',
    vital: false,
    why: 'Keeps the log-in.',
  },
  {
    name: 'revoke-self',
    path: 'auth/token/revoke-self',
    capability: 'update',
    vital: false,
    why: 'Gives the token back at the end.',
  },
];

const lookingRules: readonly PolicyRule[] = [
  {
    name: 'lookup-self',
    path: 'auth/token/lookup-self',
    capability: 'read',
    vital: false,
    why: 'For kedge doctor, which shows how long the token lasts.',
  },
  {
    name: 'capabilities-self',
    path: 'sys/capabilities-self',
    capability: 'update',
    vital: false,
    why: 'Tells in time that a right was taken away.',
  },
];

/** What the identity service sends, of which names and limits may have one value only. */
function intermediateParameters(
  { vaultIntermediateLifetime }: VaultIssuerConfig,
  { identity }: ExaminedMesh,
): Readonly<Record<string, readonly (string | boolean)[]>> {
  const { privateKey } = generateKeyPair();
  const request = intermediateRequest(privateKey, identity, vaultIntermediateLifetime);
  const fixed = Object.entries(request).map(([name, value]: [string, string | boolean]) => [name, [value]]);
  return {
    ...(Object.fromEntries(fixed) as Readonly<Record<string, readonly (string | boolean)[]>>),
    csr: [],
    // The second one is for what kedge doctor has signed.
    ttl: [request.ttl, intermediateTtl(probeLifetimeMs)],
  };
}

/** The fields of the role of the PKI engine, as `vault write` takes them. */
export function roleValues(mesh: ExaminedMesh): Readonly<Record<string, string>> {
  return {
    key_type: 'ec',
    require_cn: 'false',
    use_csr_common_name: 'false',
    use_csr_sans: 'false',
    allowed_domains: namesEnd(mesh),
    allow_subdomains: 'true',
    allowed_uri_sans: `spiffe://${mesh.trustDomain}/ns/*/sa/*`,
    allow_ip_sans: 'false',
    allow_localhost: 'false',
    allow_wildcard_certificates: 'false',
    key_usage: 'DigitalSignature',
    max_ttl: formatDuration(mesh.lifetimeMs),
    no_store: 'true',
  };
}
