import { errorCatalogue } from '../runtime/errors.ts';

/** Why a certificate could not be signed. */
export const issuerErrors = errorCatalogue({
  issuer_unavailable: {
    kind: 'unavailable',
    help: 'No issuer can sign now: none was loaded yet, or the one in use has ended. The log and /ready of the identity service say why.',
  },
  issuer_timeout: {
    kind: 'unavailable',
    help: 'The issuer did not answer in time. Look at the CA behind it.',
  },
  issuer_outage: {
    kind: 'unavailable',
    help: 'The CA has failed several times in a row, so only probes reach it until it answers; the message holds what it failed with. Workloads keep their certificates and come back as they are told. `kedge issuer status` says until when all of them are good.',
  },
  issuer_overloaded: {
    kind: 'unavailable',
    help: 'The CA is slower than it is asked, and this request would not have been served in time. Workloads come back as they are told, the most urgent go first. If it lasts, make the CA faster or raise KEDGE_ISSUER_CONCURRENCY or KEDGE_ISSUER_RATE.',
  },
  issuer_fallback_refused: {
    kind: 'failed_precondition',
    help: 'A fallback issuer signs under another trust anchor than the first issuer, so nothing that it signed was used. Give it a CA under the same anchor, or take it out of KEDGE_ISSUER_FALLBACKS.',
  },
  issued_certificate_refused: {
    kind: 'internal',
    help: 'The CA answered with a certificate that is not what was asked for; nobody has seen it. The message names the rule it breaks: correct the role or profile of the CA.',
  },
  issuer_files_incomplete: {
    kind: 'failed_precondition',
    help: 'The directory or Secret of the issuer needs tls.crt and tls.key, or crt.pem and key.pem, and not a mixture. Until then the last good pair stays in use.',
  },
  issuer_name_not_permitted: {
    kind: 'failed_precondition',
    help: 'The issuer cannot sign for this mesh: a leaf signed on trial did not verify. Check its name constraints, path length and usages. Until then the last good pair stays in use.',
  },
  ca_objects_incomplete: {
    kind: 'failed_precondition',
    help: 'A part of the CA is missing in the cluster, and what it must come from is not there either. Nothing was made, because a second trust anchor would split the mesh. Bring back the object that the message names.',
  },
  ca_objects_conflict: {
    kind: 'failed_precondition',
    help: 'The Secrets and the ConfigMap of the CA hold something else than expected, or do not belong together. Nothing was overwritten; correct or remove the object that the message names.',
  },
  issuer_not_renewed: {
    kind: 'failed_precondition',
    help: 'The issuer is past two thirds of its life and could not be renewed; the message says until when it signs. With the key of its anchor in the cluster it renews itself; else make a new issuer with that key and put it into the Secret.',
  },
});
