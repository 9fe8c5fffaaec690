import type { Collection } from '../kube/collection.ts';
import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Check, ValuesOf } from '../runtime/env.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { certificateTextsOf } from './cert-manager/certificate-secret.ts';
import { createCertManagerIssuer, type IssuerKube } from './cert-manager/create-cert-manager-issuer.ts';
import { CsrNamesIssuer } from './cert-manager/csr-names-issuer.ts';
import { CheckedIssuer } from './checked-issuer.ts';
import type { IntermediateSource, Issuer } from './issuer.ts';
import { asFallback, issuerObjects } from './issuer-objects.ts';
import { declareIssuerTtl, issuerMetrics } from './issuer-metrics.ts';
import { DirectorySource } from './local/directory-source.ts';
import { LocalIssuer } from './local/local-issuer.ts';
import { SecretSource, caTextsOf, type CaTexts, type SecretData } from './local/secret-source.ts';
import type { VettingOptions } from './local/vetted-ca.ts';
import { FallbackIssuer, fallbackCertificates } from './outage/fallback-issuer.ts';
import type { NamedIssuer } from './outage/fallback-issuer.ts';
import { guardMetrics } from './outage/guard-metrics.ts';
import { GuardedIssuer } from './outage/guarded-issuer.ts';
import { guardSettings } from './outage/settings.ts';
import type { issuerSettings } from './settings.ts';
import { checkVaultConfig } from './vault/settings.ts';

export type IssuerConfig = ValuesOf<typeof issuerSettings>;

export interface IssuerNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  /** The service's own identity; leaves that are signed on trial carry it. */
  readonly identity: WorkloadIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  /** Follows a Secret of the control namespace, and keeps of it what `project` gives; needed where the settings name one. */
  readonly secret?: (name: string, project: (secret: SecretData) => CaTexts) => FollowedSecret;
  /** Takes what is to be done when the process ends, before the deadline. */
  readonly onClose?: (part: string, close: (deadline: AbortSignal) => Promise<void>) => void;
  /** Needed by issuers that are asked by objects of the cluster. */
  readonly kube?: IssuerKube;
}

/** A Secret that is followed, by its `namespace/name`. */
export interface FollowedSecret {
  readonly secrets: Collection<CaTexts>;
  readonly key: string;
}

/** How often a directory is read where the file system tells of no change, and certificates are looked at. */
const intervalMs = 10_000;

/** Each issuer needs settings of its own. */
export const checkIssuerConfig: Check<typeof issuerSettings> = (config, problem) => {
  checks[config.issuer](config, problem, `KEDGE_ISSUER is "${config.issuer}"`);
  checkFallbacks(config, problem);
  if (config.issuer !== 'local' && config.issuerBootstrap) {
    problem('KEDGE_ISSUER_BOOTSTRAP', `"false", as KEDGE_ISSUER is "${config.issuer}"`, 'true');
  }
};

const checkFallbacks: Check<typeof issuerSettings> = (config, problem) => {
  const { issuer, issuerFallbacks: names } = config;
  const { name } = guardSettings.issuerFallbacks;
  if (names.length === 0) return;
  if (!asksCa(config))
    problem(name, 'none, as the CA does not sign each certificate itself', names.join(','));
  if (names.some((each) => each === issuer) || new Set(names).size < names.length) {
    problem(name, 'each issuer once, and not that of KEDGE_ISSUER', names.join(','));
  }
  for (const each of names) {
    if (each === issuer) continue;
    checks[each](asFallback(config, each), problem, `KEDGE_ISSUER_FALLBACKS has "${each}"`);
  }
};

/** A check of what one issuer needs; `reason` says in words what asks for it. */
type IssuerCheck = (...args: [...Parameters<Check<typeof issuerSettings>>, reason: string]) => void;

const checkLocalConfig: IssuerCheck = (config, problem, reason) => {
  const { issuerLocalDirectory, issuerLocalSecret } = config;
  if (config.issuerMode !== undefined) {
    problem('KEDGE_ISSUER_MODE', `it not to be set, as ${reason}`, config.issuerMode);
  }
  if (issuerLocalDirectory === undefined && issuerLocalSecret === undefined) {
    problem('KEDGE_ISSUER_LOCAL_DIR', `the directory of the CA key pair, as ${reason}`, 'nothing');
  }
  if (issuerLocalDirectory !== undefined && issuerLocalSecret !== undefined) {
    problem('KEDGE_ISSUER_LOCAL_SECRET', 'either this or KEDGE_ISSUER_LOCAL_DIR to be set', 'both');
  }
  if (config.issuerBootstrap && issuerLocalSecret === undefined) {
    problem('KEDGE_ISSUER_BOOTSTRAP', '"false" without KEDGE_ISSUER_LOCAL_SECRET', 'true');
  }
  checkAnchorSecret(config, problem);
};

/** In one Secret the anchor would be taken for the issuer, and its key would sign each workload certificate. */
const checkAnchorSecret: Check<typeof issuerSettings> = (config, problem) => {
  const { issuerBootstrap, issuerLocalSecret, issuerAnchorSecret } = config;
  if (!issuerBootstrap || issuerLocalSecret !== issuerAnchorSecret) return;
  const expected = 'two Secrets, this and that of KEDGE_ISSUER_LOCAL_SECRET';
  problem('KEDGE_TRUST_ANCHOR_SECRET', expected, `"${issuerAnchorSecret}" for both`);
};

/** One entry for each value of KEDGE_ISSUER. */
const checks: Readonly<Record<IssuerConfig['issuer'], IssuerCheck>> = {
  local: checkLocalConfig,
  vault: checkVaultConfig,
  'cert-manager': () => undefined,
};

/** The configured issuer, with the checks around it that every issuer gets; resolves when it was first looked at. */
export async function createIssuer(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const { anchors, clock, log } = needs;
  const metrics = issuerMetrics(needs.metrics);
  const first = await createSigner(config, needs);
  const inner = config.issuerFallbacks.length === 0 ? first : await withFallbacks(first, config, needs);
  declareIssuerTtl(needs.metrics, clock, () => inner.state.value);
  const checked = new CheckedIssuer(inner, { anchors, clock, log, metrics, timeoutMs: config.issuerTimeout });
  return issuerObjects(config).requests ? new CsrNamesIssuer(checked) : checked;
}

async function createSigner(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const signer = await creators[config.issuer](config, needs);
  return asksCa(config) ? guarded(signer, config, needs) : signer;
}

async function withFallbacks(first: Issuer, config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const fallbacks: NamedIssuer[] = [];
  for (const name of config.issuerFallbacks) {
    fallbacks.push({ name, issuer: await createSigner(asFallback(config, name), needs) });
  }
  const { anchors, clock, log, metrics } = needs;
  const certificates = fallbackCertificates(metrics);
  const options = { anchors, clock, log, certificates, timeoutMs: config.issuerTimeout };
  return new FallbackIssuer(first, fallbacks, options);
}

/** Whether the CA is asked for each certificate. */
function asksCa({ issuer, issuerMode }: IssuerConfig): boolean {
  return issuer !== 'local' && (issuerMode ?? usualModes[issuer]) === 'direct';
}

const usualModes = { vault: 'direct', 'cert-manager': 'intermediate' } as const;

function guarded(signer: Issuer, config: IssuerConfig, { clock, log, metrics }: IssuerNeeds): Issuer {
  const { issuerConcurrency: concurrency, issuerRate: rate, issuerTimeout: timeoutMs } = config;
  return new GuardedIssuer(signer, {
    ...{ clock, log, concurrency, rate, timeoutMs },
    metrics: guardMetrics(metrics),
  });
}

/** One entry for each value of KEDGE_ISSUER. */
const creators: Readonly<
  Record<IssuerConfig['issuer'], (config: IssuerConfig, needs: IssuerNeeds) => Promise<Issuer>>
> = { local: createLocalIssuer, vault: createVaultIssuerLate, 'cert-manager': createCertManager };

/** Loaded only where it is wanted: the library for Vault is large. */
async function createVaultIssuerLate(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const { createVaultIssuer } = await import('./vault/create-vault-issuer.ts');
  return createVaultIssuer(config, needs);
}

function createCertManager(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const { secret, kube, clock } = needs;
  const { issuerTimeout: timeoutMs } = config;
  if (secret === undefined || kube === undefined) throw new TypeError('expected an API server to ask');
  const { secret: name } = issuerObjects(config);
  return Promise.resolve(
    name === undefined
      ? createCertManagerIssuer(config, { ...needs, kube, timeoutMs })
      : new LocalIssuer(secretSource(secret(name, certificateTextsOf), needs), clock),
  );
}

async function createLocalIssuer(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  return new LocalIssuer(await localSource(config, needs), needs.clock);
}

/** The settings were checked to name exactly one. */
async function localSource(config: IssuerConfig, needs: IssuerNeeds): Promise<IntermediateSource> {
  const { issuerLocalSecret, issuerLocalDirectory: directory = '' } = config;
  if (issuerLocalSecret !== undefined && needs.secret !== undefined) {
    return secretSource(needs.secret(issuerLocalSecret, caTextsOf), needs);
  }
  const source = new DirectorySource({ ...vetting(needs), directory });
  await source.start(needs.signal);
  return source;
}

function secretSource(followed: FollowedSecret, needs: IssuerNeeds): IntermediateSource {
  const source = new SecretSource({ ...vetting(needs), ...followed });
  source.start(needs.signal);
  return source;
}

function vetting({ anchors, identity, clock, log, metrics }: IssuerNeeds): VettingOptions {
  return { anchors, identity, clock, log, metrics: issuerMetrics(metrics), intervalMs };
}
