import { generateKeyPair, encodePrivateKey } from '../../../pki/keys.ts';
import type { Certificate } from '../../../pki/certificate.ts';
import { encodePem } from '../../../pki/pem.ts';
import { errorCode, isAppError } from '../../../runtime/errors.ts';
import { failure, fullMessage } from '../../doctor/failure.ts';
import { failed, passed, skipped, type Check, type Finding } from '../../doctor/finding.ts';
import { examineConstraint } from '../../doctor/foreign-leaf.ts';
import { probeLifetimeMs, yearMs, type ExaminationNeeds } from '../../doctor/needs.ts';
import { probeCsr } from '../../doctor/probe-csr.ts';
import { lifetimeOf, roundDuration } from '../../doctor/probes.ts';
import { decodeCa, verifyCa } from '../../local/ca-candidate.ts';
import { intermediateRequest, intermediateTtl, type IntermediateRequest } from '../intermediate-request.ts';
import { pkiAnswer } from '../pki-answer.ts';
import type { PkiPaths } from '../pki-paths.ts';
import type { VaultClient } from '../vault-client.ts';
import { signAdvice } from './sign-advice.ts';
import type { VaultSetup } from './vault-setup.ts';

export interface IntermediateProbesOptions extends ExaminationNeeds {
  readonly client: Pick<VaultClient, 'write'>;
  readonly paths: Pick<PkiPaths, 'signIntermediate'>;
  readonly token: string;
  readonly setup: VaultSetup;
  /** Milliseconds that an intermediate of the identity service lives. */
  readonly intermediateLifetimeMs: number;
  /** Set where the policy of the token is not that of the identity service. */
  readonly ownToken?: string | undefined;
}

/** An intermediate that Vault should not sign, by the parameter that makes it one. */
interface ForbiddenIntermediate extends Check {
  readonly parameter: keyof IntermediateRequest;
  /** What is undefined is not sent. */
  readonly change: { readonly [K in keyof IntermediateRequest]?: IntermediateRequest[K] | undefined };
  readonly got: (ca: Certificate) => string | undefined;
}

const signs: Check = { check: 'vault.sign-intermediate', title: 'signs an intermediate that peers take' };
const bound: Check = {
  check: 'vault.intermediate.names',
  title: 'the intermediate signs for no other trust domain',
};
const limits: Check = { check: 'vault.intermediate.limits', title: 'what Vault cannot limit' };

/** Has an intermediate signed for minutes, and tries what its policy should refuse; keys are in memory, and forgotten. */
export async function probeIntermediates(options: IntermediateProbesOptions): Promise<Finding[]> {
  const own = await probeOwn(options);
  const seen =
    'an intermediate signs DNS names of its trust domain without asking, and SPIFFE IDs of any; peers go by the DNS name. Vault does not count intermediates';
  const honest = skipped(limits, seen);
  const unknown = own.some(({ result }) => result === 'fail')
    ? 'it cannot be told while our own intermediate is not signed'
    : options.ownToken === undefined
      ? undefined
      : 'the token is yours, not that of the identity service';
  if (unknown !== undefined) {
    return [...own, ...forbidden(options).map((each) => skipped(checkOf(each), unknown)), honest];
  }
  const findings: Finding[] = [];
  for (const each of forbidden(options)) findings.push(await probeForbidden(each, options));
  return [...own, ...findings, honest];
}

async function probeOwn(options: IntermediateProbesOptions): Promise<Finding[]> {
  const { client, paths, token, mesh, bundle, clock, signal, setup } = options;
  if (bundle === undefined) throw new TypeError('expected trust anchors');
  const { privateKey } = generateKeyPair();
  const body = intermediateRequest(privateKey, mesh.identity, probeLifetimeMs);
  const path = paths.signIntermediate;
  try {
    const { certificate, others } = pkiAnswer(await client.write(path, body, { token, signal }), path);
    const certificates = [certificate, ...others].map(({ pem }) => pem).join('');
    const pair = decodeCa({ certificates, privateKey: encodePrivateKey(privateKey) }, bundle);
    const { notAfter } = verifyCa(pair, { bundle, now: clock.now(), identity: mesh.identity });
    const life = roundDuration(notAfter.getTime() - clock.now().getTime());
    const length = certificate.pathLength ?? 'any';
    const remedy =
      'Look what answers at this path: the constraint that was asked for is not in the intermediate.';
    return [
      passed(signs, `${certificate.label}, path length ${length}, for ${life}`),
      examineConstraint(bound, pair, options, remedy),
    ];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [failed(signs, fullMessage(error), signAdvice(error, setup)), skipped(bound, 'there is none')];
  }
}

function forbidden({ intermediateLifetimeMs }: IntermediateProbesOptions): ForbiddenIntermediate[] {
  const name = (what: string): string => `vault.no-intermediate-${what}`;
  const tooLongMs = Math.max(yearMs, 2 * intermediateLifetimeMs);
  return [
    {
      check: name('path-length'),
      title: 'does not sign one with CAs below it',
      parameter: 'max_path_length',
      change: { max_path_length: '1' },
      got: ({ pathLength }) => (pathLength === 0 ? undefined : `a path length of ${pathLength ?? 'any'}`),
    },
    {
      check: name('unconstrained'),
      title: 'does not sign one for any name',
      parameter: 'permitted_dns_domains',
      change: { permitted_dns_domains: undefined },
      got: ({ nameConstraints }) =>
        nameConstraints?.permittedDns === undefined ? 'one without name constraints' : undefined,
    },
    {
      check: name('foreign'),
      title: 'does not sign one for another trust domain',
      parameter: 'permitted_dns_domains',
      change: { permitted_dns_domains: 'kedge-doctor.invalid' },
      got: ({ nameConstraints }) =>
        nameConstraints?.permittedDns?.includes('kedge-doctor.invalid') === true
          ? 'one for kedge-doctor.invalid'
          : undefined,
    },
    {
      check: name('csr-values'),
      title: 'does not sign one as its request wants it',
      parameter: 'use_csr_values',
      change: { use_csr_values: true },
      got: ({ isCa }) => (isCa ? 'one with the names and extensions of the request' : undefined),
    },
    {
      check: name('year'),
      title: 'does not sign one for a year',
      parameter: 'ttl',
      change: { ttl: intermediateTtl(tooLongMs) },
      got: () => undefined,
    },
  ];
}

async function probeForbidden(
  each: ForbiddenIntermediate,
  { client, paths, token, mesh, clock, signal, intermediateLifetimeMs, setup }: IntermediateProbesOptions,
): Promise<Finding> {
  const path = paths.signIntermediate;
  const { privateKey } = generateKeyPair();
  const body = {
    ...intermediateRequest(privateKey, mesh.identity, probeLifetimeMs),
    ...each.change,
    csr: encodePem('CERTIFICATE REQUEST', probeCsr({ dns: mesh.identity.dnsName, ca: true }, privateKey)),
  };
  const check = checkOf(each);
  try {
    const { certificate } = pkiAnswer(await client.write(path, body, { token, signal }), path);
    const ms = lifetimeOf(certificate, clock.now());
    const long = ms > 2 * intermediateLifetimeMs ? `one for ${roundDuration(ms)}` : undefined;
    const got = each.parameter === 'ttl' ? long : each.got(certificate);
    if (got === undefined) return passed(check, `got one for ${roundDuration(ms)} without it`);
    return failed(check, `got ${got}`, parameterAdvice(each.parameter, setup));
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'vault_forbidden' || code === 'vault_request_refused') return passed(check, 'refused');
    return failure(check, error);
  }
}

function checkOf({ check, title }: ForbiddenIntermediate): Check {
  return { check, title };
}

function parameterAdvice(parameter: string, { rules }: VaultSetup): { concerns: string; remedy: string } {
  const [first] = rules;
  const values = first?.parameters?.[parameter] ?? [];
  return {
    concerns: `policy ${first?.path ?? ''} ${parameter}`,
    remedy: `Hold the parameter to its value: in the policy of ${first?.path ?? 'the path'}, "${parameter}" in required_parameters, and allowed_parameters with "${parameter}" = ${JSON.stringify(values)} beside all others that \`kedge doctor issuer --print\` lists.`,
  };
}
