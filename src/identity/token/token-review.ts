import type { KubeClient } from '../../kube/kube-client.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { tokenReviews } from '../../kube/resources.ts';
import type { VerifiedToken } from './token-verifier.ts';

/** The API server's word on a token. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean;
  /** Those of the audiences asked for that the token is meant for. */
  readonly audiences?: readonly string[];
  readonly error?: string;
  readonly user?: {
    readonly username?: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/** Asks the API server whether a token is good for an audience. Rejects as the client does. */
export async function reviewToken(
  client: KubeClient,
  token: string,
  audience: string,
  signal: AbortSignal,
): Promise<TokenReviewStatus> {
  const review = { spec: { token, audiences: [audience] } };
  type Answer = KubeObject & { readonly status?: TokenReviewStatus };
  const { status = {} } = await client.create<Answer>(tokenReviews, {}, review, signal);
  return status;
}

/** What the API server adds of the pod and the node, for the audit record. */
export function boundTo({
  user,
}: TokenReviewStatus): Pick<VerifiedToken, 'podName' | 'podUid' | 'nodeName' | 'credentialId'> {
  const extra = (name: string): string | undefined =>
    user?.extra?.[`authentication.kubernetes.io/${name}`]?.[0];
  const podName = extra('pod-name');
  const podUid = extra('pod-uid');
  const nodeName = extra('node-name');
  const credentialId = extra('credential-id');
  return {
    ...(podName !== undefined && { podName }),
    ...(podUid !== undefined && { podUid }),
    ...(nodeName !== undefined && { nodeName }),
    ...(credentialId !== undefined && { credentialId }),
  };
}
