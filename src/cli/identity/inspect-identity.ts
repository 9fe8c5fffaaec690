import { stat } from 'node:fs/promises';
import type { Certificate } from '../../pki/certificate.ts';
import type { Clock } from '../../runtime/clock.ts';
import { parseSocketAddress } from '../../runtime/socket-address.ts';
import type { CertificateView } from './describe.ts';
import { describeCertificate } from './describe.ts';
import type { ShownChain } from './fetch-chain.ts';
import { fetchChain } from './fetch-chain.ts';
import { readAnchors, readCertificates } from './read-certificates.ts';
import type { Verification } from './verify-identity.ts';
import { verifyIdentity } from './verify-identity.ts';

export interface InspectOptions {
  /** A file, or `host:port`; a file of that name goes first. */
  target: string;
  /** The identity of the server: the name asked for in the handshake, and the one it must show when checked. */
  name?: string | undefined;
  anchorsFile?: string | undefined;
  timeoutMs: number;
  clock: Clock;
}

/** What was found at a target; the JSON answer of `kedge identity`. */
export interface IdentityReport {
  readonly target: string;
  readonly server?: Pick<ShownChain, 'protocol' | 'cipher' | 'group'>;
  readonly certificates: readonly CertificateView[];
  readonly anchorsFile?: string;
  readonly verification: Verification;
}

/** Reads the chain of a file or a running server and, given anchors, judges it. Throws what reading it throws. */
export async function inspectIdentity(options: InspectOptions): Promise<IdentityReport> {
  const { target, anchorsFile, name, clock } = options;
  // Anchors first: a wrong path should not wait for a network.
  const anchors = anchorsFile === undefined ? undefined : await readAnchors(anchorsFile);
  const address = (await exists(target)) ? undefined : parseSocketAddress(target);
  const shown =
    address && (await fetchChain({ ...address, serverName: name, timeoutMs: options.timeoutMs, clock }));
  const certificates: Certificate[] = shown?.certificates ?? (await readCertificates(target));
  const at = clock.now();
  return {
    target,
    ...(shown && { server: { protocol: shown.protocol, cipher: shown.cipher, group: shown.group } }),
    certificates: certificates.map((certificate) => describeCertificate(certificate, at)),
    ...(anchorsFile !== undefined && { anchorsFile }),
    verification: verifyIdentity({ certificates, anchors, at, usage: shown ? 'server' : 'both', name }),
  };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
