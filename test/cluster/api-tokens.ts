import { noteSecret } from '../secrets/run-record.ts';
import type { ApiCaller } from './api-caller.ts';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export interface TokenWish {
  /** The API server's own unless told. */
  readonly audience?: string;
  /** The token is bound to a pod of this name, and ends with it. */
  readonly pod?: string;
  /** An hour unless told, and never less than ten minutes. */
  readonly seconds?: number;
}

/** A new token of a ServiceAccount, as the kubelet would ask for it. */
export async function requestToken(
  api: ApiCaller,
  { namespace, name }: ServiceAccountName,
  { audience, pod, seconds = 3600 }: TokenWish,
): Promise<string> {
  const boundObjectRef = pod === undefined ? undefined : await podReference(api, namespace, pod);
  const answer = await api.expect<{ readonly status: { readonly token: string } }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    {
      method: 'POST',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience === undefined ? [] : [audience],
          expirationSeconds: seconds,
          ...(boundObjectRef && { boundObjectRef }),
        },
      },
    },
  );
  noteSecret('a token of a ServiceAccount', answer.status.token);
  return answer.status.token;
}

async function podReference(api: ApiCaller, namespace: string, name: string): Promise<object> {
  const pod = await api.expect<{ readonly metadata: { readonly uid: string } }>(
    `/api/v1/namespaces/${namespace}/pods/${name}`,
  );
  return { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid };
}
