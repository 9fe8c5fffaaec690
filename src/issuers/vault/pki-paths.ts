export interface PkiPlace {
  readonly mount: string;
  readonly role: string;
  /** By name or id; the one of the role, or the default one, where undefined. */
  readonly issuer: string | undefined;
}

/** The paths of the PKI engine that are called; also what a policy has to allow. */
export interface PkiPaths {
  readonly sign: string;
  readonly signIntermediate: string;
  /** Read without a token. */
  readonly issuer: string;
  /** The same from engines that know one issuer only. */
  readonly chain: string;
}

export function pkiPaths({ mount, role, issuer }: PkiPlace): PkiPaths {
  const by = issuer === undefined ? undefined : `${mount}/issuer/${issuer}`;
  return {
    sign: `${by ?? mount}/sign/${role}`,
    signIntermediate: by === undefined ? `${mount}/root/sign-intermediate` : `${by}/sign-intermediate`,
    issuer: `${by ?? `${mount}/issuer/default`}/json`,
    chain: `${mount}/cert/ca_chain`,
  };
}
