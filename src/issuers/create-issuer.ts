import type { TrustBundle } from '../pki/trust-bundle.ts';
import type { WorkloadIdentity } from '../pki/workload-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Check, ValuesOf } from '../runtime/env.ts';
import type { Latest } from '../runtime/latest.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { CheckedIssuer } from './checked-issuer.ts';
import type { Issuer } from './issuer.ts';
import { declareIssuerTtl, issuerMetrics } from './issuer-metrics.ts';
import { DirectorySource } from './local/directory-source.ts';
import { LocalIssuer } from './local/local-issuer.ts';
import type { issuerSettings } from './settings.ts';

export type IssuerConfig = ValuesOf<typeof issuerSettings>;

export interface IssuerNeeds {
  readonly anchors: Latest<TrustBundle | undefined>;
  /** The service's own identity; leaves that are signed on trial carry it. */
  readonly identity: WorkloadIdentity;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** How often a directory is read where the file system tells of no change. */
const directoryIntervalMs = 10_000;

/** Each issuer needs settings of its own. */
export const checkIssuerConfig: Check<typeof issuerSettings> = (config, problem) => {
  if (config.issuerLocalDirectory === undefined) {
    problem(
      'KEDGE_ISSUER_LOCAL_DIR',
      'the directory of the CA key pair, as KEDGE_ISSUER is "local"',
      'nothing',
    );
  }
};

/** The configured issuer, with the checks around it that every issuer gets; resolves when it was first looked at. */
export async function createIssuer(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const { anchors, clock, log } = needs;
  const metrics = issuerMetrics(needs.metrics);
  const inner = await creators[config.issuer](config, needs);
  declareIssuerTtl(needs.metrics, clock, () => inner.state.value);
  return new CheckedIssuer(inner, { anchors, clock, log, metrics, timeoutMs: config.issuerTimeout });
}

/** One entry for each value of KEDGE_ISSUER. */
const creators: Readonly<
  Record<IssuerConfig['issuer'], (config: IssuerConfig, needs: IssuerNeeds) => Promise<Issuer>>
> = { local: createLocalIssuer };

async function createLocalIssuer(config: IssuerConfig, needs: IssuerNeeds): Promise<Issuer> {
  const { anchors, identity, clock, log, signal } = needs;
  const source = new DirectorySource({
    directory: config.issuerLocalDirectory ?? '',
    anchors,
    identity,
    clock,
    log,
    metrics: issuerMetrics(needs.metrics),
    intervalMs: directoryIntervalMs,
  });
  await source.start(signal);
  return new LocalIssuer(source, clock);
}
