import { formatDuration } from '../../../runtime/durations.ts';
import { namesEnd, probeLifetimeMs, type ExaminedMesh } from '../../doctor/needs.ts';
import type { VaultIssuerConfig } from '../create-vault-issuer.ts';
import { intermediateRequest, intermediateTtl } from '../intermediate-request.ts';
import { pkiPaths } from '../pki-paths.ts';
import { generateKeyPair } from '../../../pki/keys.ts';

/** One path of a policy. */
export interface PolicyRule {
  /** `sign`: the last part of the check. */
  readonly name: string;
  readonly path: string;
  readonly capability: 'read' | 'update';
  /** Why, for people. */
  readonly why: string;
  /** Parameters that must be given, and the values that they may have; any where the list is empty. */
  readonly parameters?: Readonly<Record<string, readonly (string | boolean)[]>>;
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
  /** The role of the PKI engine ("direct"). */
  readonly role: string;
  readonly rolePath: string;
}

export function vaultSetup(config: VaultIssuerConfig, mesh: ExaminedMesh): VaultSetup {
  const { vaultPkiMount: mount, vaultPkiRole: role, vaultPkiIssuer: issuer, vaultAuth } = config;
  const mode = config.issuerMode ?? 'direct';
  const paths = pkiPaths({ mount, role, issuer });
  const rolePath = `${mount}/roles/${role}`;
  const update = { capability: 'update', vital: false } as const;
  const read = { capability: 'read', vital: false } as const;
  const renewed = vaultAuth !== 'token-file';
  return {
    mode,
    policy: config.vaultAuthRole,
    mount,
    role,
    rolePath,
    rules: [
      mode === 'direct'
        ? { ...update, name: 'sign', path: paths.sign, why: 'Signs each certificate.', vital: true }
        : {
            ...update,
            name: 'sign-intermediate',
            path: paths.signIntermediate,
            why: 'Signs an intermediate: for names of the trust domain, with no CA below it.',
            vital: true,
            parameters: intermediateParameters(config, mesh),
          },
      ...(mode === 'direct'
        ? [
            {
              ...read,
              name: 'role',
              path: rolePath,
              why: 'For kedge doctor, which compares the role with what it needs.',
            },
          ]
        : []),
      ...(renewed
        ? [
            { ...update, name: 'renew-self', path: 'auth/token/renew-self', why: 'Keeps the log-in.' },
            {
              ...update,
              name: 'revoke-self',
              path: 'auth/token/revoke-self',
              why: 'Gives the token back at the end.',
            },
          ]
        : []),
      {
        ...read,
        name: 'lookup-self',
        path: 'auth/token/lookup-self',
        why: 'For kedge doctor, which shows how long the token lasts.',
      },
      {
        ...update,
        name: 'capabilities-self',
        path: 'sys/capabilities-self',
        why: 'Tells in time that a right was taken away.',
      },
    ],
  };
}

/** What the identity service sends, of which names and limits may have one value only. */
function intermediateParameters(
  { vaultIntermediateLifetime }: VaultIssuerConfig,
  { identity }: ExaminedMesh,
): Readonly<Record<string, readonly (string | boolean)[]>> {
  const { csr: _, ...request } = intermediateRequest(
    generateKeyPair().privateKey,
    identity,
    vaultIntermediateLifetime,
  );
  const fixed = Object.entries(request).map(([name, value]) => [name, [value]] as const);
  return {
    csr: [],
    ...Object.fromEntries(fixed),
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
