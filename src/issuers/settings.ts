import { duration, oneOf, path } from '../runtime/settings.ts';

/** Which issuer signs, and what it needs; part of the identity service's settings. */
export const issuerSettings = {
  issuer: oneOf({
    name: 'KEDGE_ISSUER',
    help: 'What signs workload certificates. "local" is a CA key pair in a directory, such as a mounted Secret.',
    values: ['local'],
    fallback: 'local',
  }),
  issuerLocalDirectory: path({
    name: 'KEDGE_ISSUER_LOCAL_DIR',
    help: 'The directory of the local issuer: tls.crt and tls.key, or crt.pem and key.pem. Needed with KEDGE_ISSUER=local.',
  }),
  issuerTimeout: duration({
    name: 'KEDGE_ISSUER_TIMEOUT',
    help: 'How long one signature may take before the workload is told to come back later.',
    fallback: '10s',
    min: 100,
    max: 60_000,
  }),
} as const;
