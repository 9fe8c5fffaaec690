/** The network that a cluster's processes run in. */
export interface Place {
  /** The address of the API server, for the processes of the cluster and for its users; this machine can reach it. */
  readonly address: string;
  /** The command that runs another in that network. */
  readonly enter: (command: readonly string[]) => readonly string[];
}

/** This machine's own network. */
export const loopback: Place = { address: '127.0.0.1', enter: (command) => command };
