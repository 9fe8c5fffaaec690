import { helpOf, fullMessage } from '../../doctor/failure.ts';
import { failed, passed, warned, type Advice, type Check, type Finding } from '../../doctor/finding.ts';
import { yearMs } from '../../doctor/needs.ts';
import { lifetimeOf, roundDuration, type ForbiddenProbe } from '../../doctor/probes.ts';
import type { Certificate } from '../../../pki/certificate.ts';
import { errorCode } from '../../../runtime/errors.ts';
import type { RequestState } from '../request-state.ts';

/** What keeps such a request from being signed: a field of the policy that an approver decides by. */
const fields: Readonly<Record<string, string>> = {
  'foreign-dns-name': 'allowed.dnsNames',
  'foreign-spiffe-id': 'allowed.uris',
  'service-name': 'allowed.dnsNames',
  wildcard: 'allowed.dnsNames',
  localhost: 'allowed.dnsNames',
  'ip-address': 'allowed.ipAddresses',
  ca: 'allowed.isCA',
  year: 'constraints.maxDuration',
};

/** The check that a probe is. */
export function checkOf({ name, title }: ForbiddenProbe): Check {
  return { check: `cert-manager.no-${name}`, title };
}

/** Whether what came has in it what should have been refused. */
export function judge(
  probe: ForbiddenProbe,
  certificate: Certificate,
  lifetimeMs: number,
  now: Date,
): Finding {
  const check = checkOf(probe);
  const ms = lifetimeOf(certificate, now);
  const long = ms > 2 * lifetimeMs ? `a certificate for ${roundDuration(ms)}` : undefined;
  const got = probe.name === 'year' ? long : probe.got(certificate);
  if (got === undefined) return passed(check, `got one without it, for ${roundDuration(ms)}`);
  const field = fields[probe.name] ?? '';
  const advice = {
    concerns: `policy ${field}`,
    remedy: `Let an approver decide: install approver-policy, turn off the approver of cert-manager (disableAutoApproval=true in its chart), and apply the CertificateRequestPolicy that \`kedge doctor issuer --print\` prints; ${field} is what refuses this. Or have the CA behind the issuer refuse it.`,
  };
  return probe.name === 'year' && ms < yearMs / 2
    ? warned(check, `got ${got}`, advice)
    : failed(check, `got ${got}`, advice);
}

/** An approver that no policy speaks to leaves a request alone, which keeps it from being signed as well. */
export function undecided(check: Check, state: RequestState | undefined): Finding {
  const reason = state?.reason ?? 'it was not seen to be there';
  if (/nobody has approved/.test(reason)) return passed(check, `not signed: ${reason}`);
  const remedy =
    'Run the doctor again: cert-manager was too slow to tell. If it lasts, look at its controller, or raise KEDGE_ISSUER_TIMEOUT.';
  return warned(check, `cannot be told: ${reason}`, { concerns: 'issuer', remedy });
}

/** What to do where our own name is not signed. */
export function ownAdvice(error: unknown): Advice {
  const [code, message] = [errorCode(error), fullMessage(error)];
  const remedy = helpOf(error);
  if (code === 'certificate_request_refused') return { concerns: 'policy', remedy };
  if (code === 'certificate_request_pending' && /nobody has approved/.test(message)) {
    return {
      concerns: 'policy use',
      remedy:
        'Is there an approver for this issuer? With approver-policy, the ServiceAccount of identity needs the verb "use" on a CertificateRequestPolicy that selects the issuer: `kedge doctor issuer --print` prints both.',
    };
  }
  if (code === 'certificate_request_not_made') return { concerns: 'rbac certificaterequests', remedy };
  return { concerns: code?.startsWith('certificate_request') === true ? 'issuer' : 'ca', remedy };
}
