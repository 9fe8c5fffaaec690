import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { errorMessage } from '../runtime/errors.ts';
import { readFiles } from '../runtime/read-files.ts';
import type { LoadCredentials } from './access.ts';
import { kubeErrors } from './errors.ts';

/** Where the kubelet mounts what a container needs to speak to the API server. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's own ServiceAccount. Token and CA are read from their files each time, since both are replaced while it runs. */
export function inClusterCredentials(
  host: string,
  port: number,
  directory = serviceAccountDirectory,
): LoadCredentials {
  const server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  const tokenFile = join(directory, 'token');
  const caFile = join(directory, 'ca.crt');
  return async () => {
    const files = await readFiles({ paths: [tokenFile, caFile] }).catch((cause: unknown) => {
      throw kubeErrors.error('kube_config_invalid', errorMessage(cause), { cause });
    });
    const token = files.get(tokenFile)?.toString('latin1').trim() ?? '';
    return {
      server,
      headers: { authorization: `Bearer ${token}` },
      tls: { ca: files.get(caFile)?.toString('latin1') ?? '', rejectUnauthorized: true },
    };
  };
}
