import { oneOfFormat } from '../../runtime/formats.ts';
import { integer, list } from '../../runtime/settings.ts';

/** How much a CA that signs each certificate itself may be asked. */
export const guardSettings = {
  issuerConcurrency: integer({
    name: 'KEDGE_ISSUER_CONCURRENCY',
    help: 'How many certificates this replica asks of the CA at a time, where the CA signs each itself. The most urgent go first.',
    fallback: '32',
    min: 1,
    max: 10_000,
  }),
  issuerRate: integer({
    name: 'KEDGE_ISSUER_RATE',
    help: 'How many certificates this replica asks of the CA within any second at most, where the CA signs each itself; the CA sees the sum of all replicas. No limit unless set.',
    min: 1,
    max: 100_000,
  }),
  issuerFallbacks: list({
    name: 'KEDGE_ISSUER_FALLBACKS',
    help: 'Issuers that sign in this order while the CA of KEDGE_ISSUER is away, each with its own settings and in its usual mode. Only where the CA signs each certificate itself, and only under the same trust anchor. None unless set: a fallback in the cluster is a key in the cluster.',
    item: oneOfFormat(['local', 'vault', 'cert-manager']),
    fallback: '',
  }),
} as const;
