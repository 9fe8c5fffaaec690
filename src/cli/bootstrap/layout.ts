import path from 'node:path';

/** Where everything of a mesh's CA lies. The issuer's directory has the key names of a `kubernetes.io/tls` Secret. */
export interface Layout {
  readonly directory: string;
  /** The anchors that every process trusts. */
  readonly bundle: string;
  readonly anchorDirectory: string;
  readonly anchorCertificate: string;
  /** Needed for a new issuer and nothing else: the one file to take offline. */
  readonly anchorKey: string;
  /** What `KEDGE_ISSUER_LOCAL_DIR` names. */
  readonly issuerDirectory: string;
  readonly issuerCertificate: string;
  readonly issuerKey: string;
  readonly issuerCa: string;
}

export function layoutOf(directory: string): Layout {
  const anchorDirectory = path.join(directory, 'anchor');
  const issuerDirectory = path.join(directory, 'issuer');
  return {
    directory,
    bundle: path.join(directory, 'ca-bundle.crt'),
    anchorDirectory,
    anchorCertificate: path.join(anchorDirectory, 'tls.crt'),
    anchorKey: path.join(anchorDirectory, 'tls.key'),
    issuerDirectory,
    issuerCertificate: path.join(issuerDirectory, 'tls.crt'),
    issuerKey: path.join(issuerDirectory, 'tls.key'),
    issuerCa: path.join(issuerDirectory, 'ca.crt'),
  };
}
