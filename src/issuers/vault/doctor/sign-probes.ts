import type { Certificate } from '../../../pki/certificate.ts';
import { encodePem } from '../../../pki/pem.ts';
import { errorCode, isAppError } from '../../../runtime/errors.ts';
import { failure, fullMessage } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import { yearMs, type ExaminationNeeds } from '../../doctor/needs.ts';
import { probeCsr } from '../../doctor/probe-csr.ts';
import {
  forbiddenProbes,
  lifetimeOf,
  probeRequest,
  proxyShapes,
  roundDuration,
  type ForbiddenProbe,
  type ProbeShape,
} from '../../doctor/probes.ts';
import type { Issuer } from '../../issuer.ts';
import { pkiAnswer } from '../pki-answer.ts';
import type { PkiPaths } from '../pki-paths.ts';
import type { VaultClient } from '../vault-client.ts';
import { signAdvice } from './sign-advice.ts';
import type { VaultSetup } from './vault-setup.ts';

export interface SignProbesOptions extends ExaminationNeeds {
  readonly client: Pick<VaultClient, 'write'>;
  readonly paths: Pick<PkiPaths, 'sign'>;
  readonly token: string;
  readonly setup: VaultSetup;
  /** The issuer as the identity service has it, with the checks around it. */
  readonly issuer: Pick<Issuer, 'issue'>;
  /** What was found about the role. */
  readonly role: readonly Finding[];
  /** Set where the policy of the token is not that of the identity service. */
  readonly ownToken?: string | undefined;
}

const lifetime: Check = { check: 'vault.lifetime', title: 'signs for as long as workloads ask' };
const endDate: Check = { check: 'vault.no-end-date', title: 'does not sign until a date that is asked for' };

/** What is behind a certificate that should not have been signed: a field of the role. */
const fields: Readonly<Record<string, readonly [field: string, set: string]>> = {
  'foreign-dns-name': ['allowed_domains', 'allow_any_name=false, and allowed_domains as printed'],
  'foreign-spiffe-id': ['allowed_uri_sans', 'allowed_uri_sans as printed'],
  'service-name': ['allowed_domains', 'allowed_domains as printed: no more than the names of workloads'],
  wildcard: ['allow_wildcard_certificates', 'allow_wildcard_certificates=false'],
  localhost: ['allow_localhost', 'allow_localhost=false'],
  'ip-address': ['allow_ip_sans', 'allow_ip_sans=false'],
  ca: ['key_usage', 'key_usage=DigitalSignature, and nothing of sign-verbatim'],
  year: ['max_ttl', 'max_ttl as printed'],
};

/** Has our own names signed, and tries what must not be: each is signed for minutes, with a key that is thrown away at once. */
export async function probeSigning(options: SignProbesOptions): Promise<Finding[]> {
  const own: Finding[] = [];
  for (const shape of proxyShapes) own.push(await probeOwn(shape, options));
  if (own.some(({ result }) => result === 'fail')) {
    const seen = 'it cannot be told while our own name is not signed';
    const checks = [...forbiddenProbes(options.mesh).map(checkOf), endDate];
    return [...own, ...checks.map((check) => skipped(check, seen))];
  }
  const findings: Finding[] = [];
  let year: Certificate | undefined;
  for (const probe of forbiddenProbes(options.mesh)) {
    const [finding, certificate] = await probeForbidden(probe, options);
    findings.push(finding);
    if (probe.name === 'year') year = certificate;
  }
  return [...own, await probeLifetime(year, options), ...findings, await probeEndDate(options)];
}

async function probeOwn(shape: ProbeShape, options: SignProbesOptions): Promise<Finding> {
  const { mesh, clock, signal, issuer, setup, role } = options;
  const check = { check: `vault.${shape.name}`, title: shape.title };
  try {
    const { leaf, intermediates } = await issuer.issue(
      probeRequest(mesh, shape.names(mesh), clock.now()),
      signal,
    );
    return passed(
      check,
      `by ${intermediates[0]?.label ?? 'the anchor'}, for ${roundDuration(lifetimeOf(leaf, clock.now()))}`,
    );
  } catch (error) {
    if (!isAppError(error)) throw error;
    return failed(check, fullMessage(error), signAdvice(error.cause ?? error, setup, role));
  }
}

/** The finding, and the certificate that came all the same. */
async function probeForbidden(
  probe: ForbiddenProbe,
  { client, paths, token, setup, clock, mesh, signal }: SignProbesOptions,
): Promise<[Finding, Certificate?]> {
  const check = checkOf(probe);
  try {
    const answer = await client.write(paths.sign, bodyOf(probe), { token, signal });
    const { certificate } = pkiAnswer(answer, paths.sign);
    const ms = lifetimeOf(certificate, clock.now());
    const got = probe.name === 'year' ? longLife(ms, mesh.lifetimeMs) : probe.got(certificate);
    const [field, set] = fields[probe.name] ?? ['', ''];
    if (got === undefined)
      return [
        passed(check, probe.name === 'year' ? `got ${roundDuration(ms)}` : 'got one without it'),
        certificate,
      ];
    const advice = { concerns: `role ${field}`, remedy: `Set in ${setup.rolePath}: ${set}.` };
    const bad = probe.name === 'year' && ms < yearMs / 2 ? warned : failed;
    return [bad(check, `got ${got}`, advice), certificate];
  } catch (error) {
    const code = errorCode(error);
    if (code === 'vault_forbidden') return [passed(check, 'refused by the policy')];
    if (code === 'vault_request_refused') return [refusedFinding(check, reasonOf(error), setup)];
    return [failure(check, error)];
  }
}

/** The engine holds no max_ttl against `not_after` of a request: that is left to the policy. */
async function probeEndDate(options: SignProbesOptions): Promise<Finding> {
  const { client, paths, token, clock, mesh, signal, ownToken } = options;
  if (ownToken !== undefined) return skipped(endDate, 'the token is yours, not that of the identity service');
  const end = new Date(clock.now().getTime() + 3 * mesh.lifetimeMs);
  const names = { dns: mesh.identity.dnsName, uri: mesh.identity.spiffeId };
  const body = { ...bodyOf({ names, lifetimeMs: 0 }), ttl: undefined, not_after: end.toISOString() };
  try {
    const { certificate } = pkiAnswer(await client.write(paths.sign, body, { token, signal }), paths.sign);
    const ms = lifetimeOf(certificate, clock.now());
    const got = longLife(ms, mesh.lifetimeMs);
    if (got === undefined) return passed(endDate, `got ${roundDuration(ms)}`);
    return failed(endDate, `got ${got}: no role limits what is asked for as not_after`, {
      concerns: `policy ${paths.sign} not_after`,
      remedy: `Limit ${paths.sign} in the policy by allowed_parameters to those that \`kedge doctor issuer --print\` prints: not_after is none of them.`,
    });
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!['vault_forbidden', 'vault_request_refused'].includes(code)) return failure(endDate, error);
    const reason = reasonOf(error);
    if (/beyond the expiration/.test(reason)) return skipped(endDate, 'the CA ends before it could be told');
    return passed(endDate, `refused${reason}`);
  }
}

/** The end of the CA limits only for now what the role does not. */
function refusedFinding(check: Check, reason: string, { rolePath }: VaultSetup): Finding {
  const seen = `refused${reason}`;
  if (!/beyond the expiration/.test(reason)) return passed(check, seen);
  return warned(check, seen, { concerns: 'role max_ttl', remedy: `Set in ${rolePath}: max_ttl as printed.` });
}

function checkOf({ name, title }: ForbiddenProbe): Check {
  return { check: `vault.no-${name}`, title };
}

/** Names stand in the request and beside it: whichever the role takes. */
function bodyOf({ names, lifetimeMs }: Pick<ForbiddenProbe, 'names' | 'lifetimeMs'>): object {
  const { dns, uri, ip } = names;
  return {
    csr: encodePem('CERTIFICATE REQUEST', probeCsr(names)),
    common_name: '',
    exclude_cn_from_sans: true,
    ...(dns !== undefined && { alt_names: dns }),
    ...(uri !== undefined && { uri_sans: uri }),
    ...(ip !== undefined && { ip_sans: ip.join('.') }),
    ttl: `${lifetimeMs / 1000}s`,
    format: 'pem',
  };
}

/** A role that signs for longer than twice what is needed has more given away with each token that is lost. */
function longLife(ms: number, lifetimeMs: number): string | undefined {
  return ms > 2 * lifetimeMs ? `a certificate for ${roundDuration(ms)}` : undefined;
}

function reasonOf(error: unknown): string {
  const [, reason] = /status \d+: (.*)$/s.exec(fullMessage(error)) ?? [];
  return reason === undefined ? '' : `: ${reason}`;
}

/** What came when a year was asked for says it as well; only where that was refused, one of the whole length is asked for. */
async function probeLifetime(year: Certificate | undefined, options: SignProbesOptions): Promise<Finding> {
  const { mesh, clock, signal, issuer, setup, role } = options;
  const { lifetimeMs } = mesh;
  try {
    const now = clock.now();
    const shape = proxyShapes[0]?.names(mesh) ?? {};
    const leaf = year ?? (await issuer.issue(probeRequest(mesh, shape, now, lifetimeMs), signal)).leaf;
    const ms = Math.min(lifetimeOf(leaf, now), lifetimeMs);
    const seen = `asked for ${roundDuration(lifetimeMs)}, got ${roundDuration(ms)}`;
    // A tenth goes to clocks that are apart and to slow answers.
    if (ms >= lifetimeMs * 0.89) return passed(lifetime, seen);
    return warned(lifetime, seen, {
      concerns: 'role max_ttl',
      remedy: `Raise max_ttl of ${setup.rolePath} and of the mount, replace a CA that ends sooner, or lower KEDGE_ISSUANCE_LIFETIME.`,
    });
  } catch (error) {
    if (!isAppError(error)) throw error;
    return failed(lifetime, fullMessage(error), signAdvice(error.cause ?? error, setup, role));
  }
}
