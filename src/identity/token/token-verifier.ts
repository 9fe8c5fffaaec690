/** What a verified token says of the workload that presented it. */
export interface VerifiedToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** `sub` as the token has it. */
  readonly subject: string;
  readonly issuer: string;
  readonly audience: string;
  readonly expiresAt: Date;
  /** The pod and node the token is bound to, where it says so. */
  readonly podName?: string;
  readonly podUid?: string;
  readonly nodeName?: string;
  /** `JTI=<uuid>`: by it the API server's own audit log names the token. */
  readonly credentialId?: string;
}

/** Decides whether a token is genuine and meant for this service, and for whom it speaks. */
export interface TokenVerifier {
  /**
   * Rejects with `token_malformed` (not a token at all), `token_refused` or `subject_not_listed` (a token that
   * proves nothing here), or an error of kind `unavailable` (could not be decided now). No message holds any
   * part of the token but claims that have been verified.
   */
  verify(token: string, signal: AbortSignal): Promise<VerifiedToken>;
}
