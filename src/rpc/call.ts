/** Who a peer proved to be: the names in its verified certificate. */
export interface PeerIdentity {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** End of the certificate's life. */
  readonly notAfter: Date;
}

/** What a handler may know of the call it serves. */
export interface Call {
  /** The client's IP address. */
  readonly peerAddress: string;
  /** Undefined where the client showed no certificate; one that does not verify never gets this far. */
  readonly peer: PeerIdentity | undefined;
  /** Aborted when the client is gone, its deadline has passed, or the server ends the call. */
  readonly signal: AbortSignal;
  readonly deadline?: Date;
}
