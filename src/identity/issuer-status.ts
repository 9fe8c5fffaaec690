import type { Issuer, IssuerState } from '../issuers/issuer.ts';
import { RESERVE } from '../rpc/renewal-schedule.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { forecastOf, windows, type ExpiryForecast } from './expiry-forecast.ts';
import type { Holdings } from './holdings.ts';

/** What `/issuer` of the admin server says: dates in ISO 8601, lengths in seconds. */
export interface IssuerStatus {
  readonly at: string;
  readonly issuer: {
    /** `away`: it is configured and was there, but its CA does not answer. */
    readonly state: 'ready' | 'away' | 'unavailable';
    /** Whether each certificate is asked of a CA; otherwise they are signed here until `until`. */
    readonly asksCa: boolean;
    readonly breaker?: 'closed' | 'open';
    readonly since?: string;
    readonly reason?: string;
    /** Who signs meanwhile; `asksCa`, `degraded` and `until` are then of this one. */
    readonly standIn?: string;
    readonly degraded?: string;
    readonly until?: string;
  };
  readonly lifetimeSeconds: number;
  /** Until when every workload is good that renews as it should, if nothing is signed from now on, or since the outage began. */
  readonly holdsUntil?: string;
  readonly workloads: {
    readonly known: number;
    readonly quiet: number;
    /** How many more were forgotten for want of room. */
    readonly forgotten: number;
    /** Since when this replica counts; it knows of all after one lifetime. */
    readonly since: string;
  };
  readonly firstExpiry?: { readonly at: string; readonly identity: string };
  readonly expiries: readonly { readonly within: string; readonly workloads: number }[];
}

export interface IssuerStatusNeeds {
  readonly issuer: Issuer;
  readonly holdings: Holdings;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}

/**
 * What happens, and when, if the CA stays away from now on. Who stands in for it signs here until its own end, or asks a CA
 * that is then away as well.
 */
export function issuerStatus(needs: IssuerStatusNeeds): IssuerStatus {
  const { issuer, holdings, clock, lifetimeMs } = needs;
  const { first, workloads, quiet, within } = forecast(needs);
  const state = issuer.state.value;
  const holdsUntil = holdsUntilOf(state, clock.now(), lifetimeMs);
  return {
    at: clock.now().toISOString(),
    issuer: issuerOf(state),
    lifetimeSeconds: lifetimeMs / 1000,
    ...(holdsUntil && { holdsUntil: holdsUntil.toISOString() }),
    workloads: {
      known: workloads,
      quiet,
      forgotten: holdings.forgotten,
      since: holdings.since.toISOString(),
    },
    ...(first && { firstExpiry: { at: first.at.toISOString(), identity: first.identity } }),
    expiries: windows.map(({ name }, index) => ({ within: name, workloads: within[index] ?? 0 })),
  };
}

/** Where the status of the issuer is shown. */
export const issuerPage = '/issuer';

/** Shows what would happen without the CA, from now on: as a page and as metrics. */
export function showIssuerStatus(
  needs: IssuerStatusNeeds,
  { pages, metrics }: { readonly pages: Map<string, () => unknown>; readonly metrics: Metrics },
): void {
  pages.set(issuerPage, () => issuerStatus(needs));
  declareExpiryForecast(metrics, () => forecast(needs));
}

/** The same for whoever watches and alerts. */
export function declareExpiryForecast(metrics: Metrics, look: () => ExpiryForecast): void {
  metrics.gauge(
    'kedge_identity_first_expiry_timestamp_seconds',
    'When the first workload is without a certificate, seconds since 1970, if the CA stays away from now on; 0 while none is known.',
    [],
    (gauge) => gauge.set((look().first?.at.getTime() ?? 0) / 1000),
  );
  metrics.gauge(
    'kedge_identity_expiring_workloads',
    'How many workloads are without a certificate within that time, if the CA stays away from now on; of those this replica served.',
    ['within'],
    (gauge) => {
      const { within } = look();
      windows.forEach(({ name }, index) => gauge.set({ within: name }, within[index] ?? 0));
    },
  );
}

function forecast({ issuer, holdings, clock }: Omit<IssuerStatusNeeds, 'lifetimeMs'>): ExpiryForecast {
  const now = clock.now();
  return forecastOf(holdings.current(), { now, signsUntil: signsUntilOf(issuer.state.value, now) });
}

/** From when on nothing is signed if the CA stays away, and also that of an issuer that stands in for it, if that has one. */
function signsUntilOf(state: IssuerState, now: Date): Date {
  if (state.state === 'unavailable') return now;
  if (state.asksCa !== true) return state.notAfter;
  return state.outage === undefined || state.outage.standIn !== undefined ? now : state.outage.since;
}

/** Where certificates are signed here, all go with the issuer; else a workload may just have been about to renew. */
function holdsUntilOf(state: IssuerState, now: Date, lifetimeMs: number): Date | undefined {
  if (state.state === 'unavailable') return undefined;
  const signsUntil = signsUntilOf(state, now);
  if (state.asksCa !== true) return signsUntil;
  const reserved = new Date(signsUntil.getTime() + RESERVE * lifetimeMs);
  return reserved < state.notAfter ? reserved : state.notAfter;
}

function issuerOf(state: IssuerState): IssuerStatus['issuer'] {
  if (state.state === 'unavailable') return { state: 'unavailable', asksCa: false, reason: state.reason };
  const { asksCa = false, outage, degraded, notAfter } = state;
  return {
    state: outage === undefined ? 'ready' : 'away',
    asksCa,
    ...((asksCa || outage) && { breaker: outage === undefined ? 'closed' : 'open' }),
    ...(outage && { since: outage.since.toISOString(), reason: outage.reason }),
    ...(outage?.standIn !== undefined && { standIn: outage.standIn }),
    ...(degraded !== undefined && { degraded }),
    until: notAfter.toISOString(),
  };
}
