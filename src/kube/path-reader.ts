/** Reads what the API server serves beside its resources, such as `/openid/v1/jwks`. */
export interface PathReader {
  /**
   * The body of a GET, as text. Rejects as the calls of `KubeClient` do, also where the body is larger than any of
   * these documents.
   */
  readPath(path: string, signal: AbortSignal): Promise<string>;
}
