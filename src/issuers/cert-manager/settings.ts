import type { Format } from '../../runtime/formats.ts';
import { dnsName, integer, setting } from '../../runtime/settings.ts';

/** Whatever an external issuer calls its kind: it goes into a field, never into a path. */
const kindFormat: Format<string> = {
  expected: 'a kind such as "Issuer" or "ClusterIssuer"',
  parse: (given) => (/^[A-Za-z][A-Za-z0-9]{0,62}$/.test(given.trim()) ? given.trim() : undefined),
};

/** How the identity service asks cert-manager; all objects are in the control namespace. */
export const certManagerSettings = {
  certManagerSecret: dnsName({
    name: 'KEDGE_CERT_MANAGER_SECRET',
    help: 'The Secret that cert-manager keeps for the CA Certificate of the mesh ("intermediate"), in the control namespace; followed.',
    fallback: 'kedge-issuer',
  }),
  certManagerIssuerName: dnsName({
    name: 'KEDGE_CERT_MANAGER_ISSUER_NAME',
    help: 'The issuer of cert-manager that workload certificates are asked of ("direct").',
    fallback: 'kedge',
  }),
  certManagerIssuerKind: setting(
    {
      name: 'KEDGE_CERT_MANAGER_ISSUER_KIND',
      help: 'Its kind: "Issuer" (in the control namespace), "ClusterIssuer", or that of an external issuer.',
      fallback: 'Issuer',
    },
    kindFormat,
  ),
  certManagerIssuerGroup: dnsName({
    name: 'KEDGE_CERT_MANAGER_ISSUER_GROUP',
    help: 'Its API group, for external issuers.',
    fallback: 'cert-manager.io',
  }),
  certManagerMaxRequests: integer({
    name: 'KEDGE_CERT_MANAGER_MAX_REQUESTS',
    help: 'How many CertificateRequests of the mesh there may be at once ("direct"), those of all replicas together; workloads beyond them are told to come back later.',
    fallback: '256',
    min: 1,
    max: 10_000,
  }),
} as const;
