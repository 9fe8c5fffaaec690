import { randomUUID } from 'node:crypto';
import { informer } from '../../../kube/informer.ts';
import type { KubeConnection } from '../../../kube/kube-watch.ts';
import { certificateRequests } from '../../../kube/resources.ts';
import { Certificate } from '../../../pki/certificate.ts';
import { withinDeadline } from '../../../runtime/deadline.ts';
import { formatDuration } from '../../../runtime/durations.ts';
import { AppError, errorCode, isAppError } from '../../../runtime/errors.ts';
import { LatestValue } from '../../../runtime/latest.ts';
import { Metrics } from '../../../runtime/metrics.ts';
import { failure, fullMessage } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import {
  forbiddenProbes,
  lifetimeOf,
  probeRequest,
  proxyShapes,
  roundDuration,
  type ForbiddenProbe,
} from '../../doctor/probes.ts';
import { quietChecked, quietLog } from '../../doctor/quiet-issuer.ts';
import type { Issuer, IssueRequest } from '../../issuer.ts';
import { CertManagerIssuer } from '../cert-manager-issuer.ts';
import { CertificateRequests } from '../certificate-requests.ts';
import { CsrNamesIssuer } from '../csr-names-issuer.ts';
import { requestName, requestObject, requestSelector, type IssuerReference } from '../request-object.ts';
import { checkOf, judge, ownAdvice, undecided } from './request-findings.ts';
import { requestStateOf, type CertificateRequest, type RequestState } from '../request-state.ts';

export interface RequestProbesOptions extends ExaminationNeeds {
  readonly client: KubeConnection;
  /** The control namespace. */
  readonly namespace: string;
  readonly issuerRef: IssuerReference;
  /** Milliseconds that a request is waited for. */
  readonly timeoutMs: number;
}

const lifetime: Check = { check: 'cert-manager.lifetime', title: 'signs for as long as workloads ask' };

/** More than anyone asks for here. */
const maxRequests = 10_000;
const maxAgeMs = 600_000;
const replica = 'kedge-doctor';

/** Has our own names signed and tries what must not be; every request is removed again, and its key is thrown away at once. */
export async function probeRequests(options: RequestProbesOptions): Promise<Finding[]> {
  const ended = new AbortController();
  const probes = new RequestProbes({ ...options, signal: AbortSignal.any([options.signal, ended.signal]) });
  try {
    return await probes.run();
  } finally {
    // Also where whoever asked has gone away.
    await probes.removeAll(AbortSignal.timeout(5_000));
    ended.abort();
  }
}

class RequestProbes {
  readonly #options: RequestProbesOptions;
  readonly #requests: CertificateRequests;
  readonly #issuer: Issuer;
  /** Names of what was asked for. */
  readonly #made = new Set<string>();
  readonly #synced: Promise<unknown>;

  constructor(options: RequestProbesOptions) {
    const { client, namespace, issuerRef, clock, signal, timeoutMs, bundle } = options;
    const [log, metrics] = [quietLog(), new Metrics()];
    this.#options = options;
    const followed = informer<RequestState, CertificateRequest>({
      ...{ client, clock, log, metrics, place: { namespace }, labelSelector: requestSelector },
      resource: certificateRequests,
      project: requestStateOf,
    });
    void followed.run(signal);
    this.#requests = new CertificateRequests({
      ...{ client, namespace, followed, clock, log, signal, maxRequests, maxAgeMs },
    });
    const { synced, problem } = followed;
    const anchors = new LatestValue(bundle);
    const direct = new CertManagerIssuer({
      ...{ requests: this.#requests, issuerRef, replica, anchors, synced, problem, clock },
      timeoutMs: timeoutMs * 0.9,
    });
    this.#issuer = new CsrNamesIssuer(quietChecked(direct, options, timeoutMs));
    const soon = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    this.#synced = synced.until((value) => value, soon).catch(() => undefined);
  }

  async run(): Promise<Finding[]> {
    await this.#synced;
    const own: Finding[] = [];
    for (const { name, title, names } of proxyShapes) {
      const check = { check: `cert-manager.${name}`, title };
      own.push(await this.#own(check, this.#ask(names(this.#options.mesh))));
    }
    const forbidden = forbiddenProbes(this.#options.mesh);
    if (own.some(({ result }) => result === 'fail')) {
      const seen = 'it cannot be told while our own name is not signed';
      return [...own, ...forbidden.map((probe) => skipped(checkOf(probe), seen))];
    }
    const answers = await Promise.all(forbidden.map((probe) => this.#forbidden(probe)));
    const year = answers.find(({ probe }) => probe.name === 'year')?.certificate;
    return [...own, await this.#lifetime(year), ...answers.map(({ finding }) => finding)];
  }

  /** Whatever is left of what was asked for. */
  async removeAll(signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const removed = [...this.#made].map((name) =>
      client.remove(certificateRequests, { namespace, name }, signal).catch((error: unknown) => {
        if (!isAppError(error)) throw error;
      }),
    );
    await Promise.all(removed);
  }

  #ask(names: Parameters<typeof probeRequest>[1], lifetimeMs?: number): IssueRequest {
    const { mesh, clock, issuerRef } = this.#options;
    const request = probeRequest(mesh, names, clock.now(), lifetimeMs);
    const { csr, uri, ...rest } = request;
    const asked = csr.sans.uri.length > 0;
    const name = requestName({ ...rest, csr, ...(asked && uri !== undefined && { uri }) }, issuerRef);
    this.#made.add(name).add(`${name}-shorter`);
    return request;
  }

  async #own(check: Check, request: IssueRequest): Promise<Finding> {
    const { clock, signal } = this.#options;
    try {
      const { leaf, intermediates } = await this.#issuer.issue(request, signal);
      const by = intermediates[0]?.label ?? 'the anchor';
      return passed(check, `by ${by}, for ${roundDuration(lifetimeOf(leaf, clock.now()))}`);
    } catch (error) {
      if (!isAppError(error)) throw error;
      return failed(check, fullMessage(error), ownAdvice(error));
    }
  }

  async #lifetime(year: Certificate | undefined): Promise<Finding> {
    const { mesh, clock, signal } = this.#options;
    const { lifetimeMs } = mesh;
    const names = proxyShapes[0]?.names(mesh) ?? {};
    try {
      const leaf = year ?? (await this.#issuer.issue(this.#ask(names, lifetimeMs), signal)).leaf;
      const ms = Math.min(lifetimeOf(leaf, clock.now()), lifetimeMs);
      const seen = `asked for ${roundDuration(lifetimeMs)}, got ${roundDuration(ms)}`;
      if (ms >= lifetimeMs * 0.89) return passed(lifetime, seen);
      const remedy =
        'Let the CA behind the issuer sign for longer, replace one that ends sooner, or lower KEDGE_ISSUANCE_LIFETIME.';
      return warned(lifetime, seen, { concerns: 'ca', remedy });
    } catch (error) {
      if (!isAppError(error)) throw error;
      const advice = ownAdvice(error);
      const isPolicy = errorCode(error) === 'certificate_request_refused';
      return failed(
        lifetime,
        fullMessage(error),
        isPolicy ? { ...advice, concerns: 'policy constraints.maxDuration' } : advice,
      );
    }
  }

  async #forbidden(probe: ForbiddenProbe): Promise<{
    readonly probe: ForbiddenProbe;
    readonly finding: Finding;
    readonly certificate?: Certificate;
  }> {
    const { clock, signal, timeoutMs, mesh } = this.#options;
    const check = checkOf(probe);
    const name = `kedge-doctor-${randomUUID()}`;
    this.#made.add(name);
    const late = (): Error => new AppError('deadline', 'deadline_exceeded', 'nobody decided in time');
    try {
      const state = await withinDeadline({ clock, ms: timeoutMs, signal, late }, (either) =>
        this.#requests.settle(name, () => this.#object(name, probe), either),
      );
      if (state.verdict !== 'issued')
        return { probe, finding: passed(check, `${state.verdict}: ${state.reason}`) };
      const [certificate] = Certificate.parsePem(state.certificate ?? '');
      if (certificate === undefined) return { probe, finding: passed(check, 'got no certificate') };
      return { probe, finding: judge(probe, certificate, mesh.lifetimeMs, clock.now()), certificate };
    } catch (error) {
      if (errorCode(error) === 'certificate_request_refused') {
        return { probe, finding: passed(check, fullMessage(error)) };
      }
      if (errorCode(error) !== 'deadline') return { probe, finding: failure(check, error) };
      return { probe, finding: undecided(check, this.#requests.get(name)) };
    }
  }

  #object(name: string, probe: ForbiddenProbe): object {
    const { mesh, clock, issuerRef, timeoutMs } = this.#options;
    const now = clock.now();
    const request = probeRequest(mesh, probe.names, now, probe.lifetimeMs);
    const object = requestObject(request, { name, replica, issuerRef, now, timeoutMs }) as { spec: object };
    const ca = { isCA: true, usages: ['digital signature', 'cert sign', 'crl sign'] };
    const spec = {
      ...object.spec,
      duration: formatDuration(probe.lifetimeMs),
      ...(probe.names.ca === true && ca),
    };
    return { ...object, spec };
  }
}
