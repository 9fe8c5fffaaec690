import path from 'node:path';
import type { CaKeyPair } from '../../pki/ca-key-pair.ts';
import { encodePrivateKey, parsePrivateKey } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { MeshDomain } from '../../pki/workload-identity.ts';
import type { Clock } from '../../runtime/clock.ts';
import { caName } from '../../issuers/own-ca/ca-name.ts';
import type { Layout } from './layout.ts';
import { layoutOf } from './layout.ts';
import { proveIssuer } from './prove-issuer.ts';
import type { Present } from './read-directory.ts';
import { parseSingle, readDirectory, readNamed } from './read-directory.ts';
import type { Anchor, GivenAnchor } from './settle-anchor.ts';
import { settleAnchor } from './settle-anchor.ts';
import { settleIssuer } from './settle-issuer.ts';
import { CERTIFICATE_MODE, KEY_MODE, makeDirectory, writeNewFile } from './write-files.ts';

const YEAR_MS = 365 * 86_400_000;

export interface BootstrapOptions {
  /** Made when it is not there. */
  directory: string;
  trustDomain: string;
  controlNamespace: string;
  /** 10 years unless told. */
  anchorLifetimeMs?: number | undefined;
  /** 1 year unless told; never beyond the anchor's end. */
  issuerLifetimeMs?: number | undefined;
  /** An anchor made elsewhere: its certificate is copied into the directory, its key is used and not copied. */
  anchorCertificateFile?: string | undefined;
  anchorKeyFile?: string | undefined;
  clock: Clock;
}

/** Everything in the directory, proven to fit together. */
export interface BootstrapResult {
  readonly layout: Layout;
  readonly anchor: Anchor;
  readonly issuer: CaKeyPair;
  readonly bundle: TrustBundle;
  /** Files that this run wrote, in the order they were written; none when all was there. */
  readonly made: readonly string[];
  /** False when the anchor's key is kept elsewhere. */
  readonly anchorKeyIsThere: boolean;
}

/**
 * Makes or completes the CA of a mesh in a directory: what is there is never overwritten, what is missing is made, and
 * everything is proven to verify, before it is written and again as it was written. Throws cliErrors and pki's
 * `identity_malformed`; then nothing is half-written, and running it again goes on from there.
 */
export async function bootstrap(options: BootstrapOptions): Promise<BootstrapResult> {
  const mesh = new MeshDomain(options.controlNamespace, options.trustDomain);
  const layout = layoutOf(path.normalize(options.directory));
  const given = await readGiven(options);
  const present = await readDirectory(layout);
  const settled = await settle(options, { layout, mesh, given, present });
  const made = await writeMissing(layout, present, given, settled);
  const written = await readDirectory(layout);
  const proven = await settle(options, { layout, mesh, given, present: written });
  return { layout, ...proven, made, anchorKeyIsThere: written.anchorKey !== undefined };
}

interface Settled {
  readonly anchor: Anchor;
  readonly issuer: CaKeyPair;
  readonly bundle: TrustBundle;
}

interface Parts {
  layout: Layout;
  mesh: MeshDomain;
  given: GivenAnchor;
  present: Present;
}

async function settle(options: BootstrapOptions, parts: Parts): Promise<Settled> {
  const { layout, mesh, present } = parts;
  const { anchorLifetimeMs = 10 * YEAR_MS, issuerLifetimeMs = YEAR_MS } = options;
  const now = options.clock.now();
  const commonName = caName('root', mesh);
  const anchor = await settleAnchor({ ...parts, commonName, lifetimeMs: anchorLifetimeMs, now });
  const issuer = await settleIssuer({ layout, present, anchor, mesh, lifetimeMs: issuerLifetimeMs, now });
  const own = TrustBundle.of([anchor.certificate]);
  const bundle = present.bundle ?? own;
  proveIssuer({ issuer, mesh, at: now, bundleFile: layout.bundle, bundle });
  proveIssuer({ issuer, mesh, at: now, bundleFile: layout.issuerCa, bundle: present.issuerCa ?? own });
  return { anchor, issuer, bundle };
}

async function readGiven(options: BootstrapOptions): Promise<GivenAnchor> {
  const { anchorCertificateFile, anchorKeyFile } = options;
  return {
    certificate:
      anchorCertificateFile === undefined ? undefined : await readNamed(anchorCertificateFile, parseSingle),
    key: anchorKeyFile === undefined ? undefined : await readNamed(anchorKeyFile, parsePrivateKey),
  };
}

/** Keys before their certificates and the bundle last: whatever stops this leaves a state that the next run completes. */
async function writeMissing(
  layout: Layout,
  present: Present,
  given: GivenAnchor,
  { anchor, issuer, bundle }: Settled,
): Promise<string[]> {
  const ownPem = TrustBundle.of([anchor.certificate]).pem;
  const issuerPem = [issuer.certificate, ...issuer.chain].map(({ pem }) => pem).join('');
  // A given key stays where its owner keeps it; one that is away is not missed.
  const anchorKey = given.key === undefined && anchor.key ? encodePrivateKey(anchor.key) : undefined;
  const files: [file: string, there: unknown, content: string | undefined, mode: number][] = [
    [layout.anchorKey, present.anchorKey, anchorKey, KEY_MODE],
    [layout.anchorCertificate, present.anchor, anchor.certificate.pem, CERTIFICATE_MODE],
    [layout.issuerKey, present.issuerKey, encodePrivateKey(issuer.key), KEY_MODE],
    [layout.issuerCertificate, present.issuer, issuerPem, CERTIFICATE_MODE],
    [layout.issuerCa, present.issuerCa, ownPem, CERTIFICATE_MODE],
    [layout.bundle, present.bundle, bundle.pem, CERTIFICATE_MODE],
  ];
  const made: string[] = [];
  for (const directory of [layout.directory, layout.anchorDirectory, layout.issuerDirectory]) {
    await makeDirectory(directory);
  }
  for (const [file, there, content, mode] of files) {
    if (there !== undefined || content === undefined) continue;
    await writeNewFile(file, content, mode);
    made.push(file);
  }
  return made;
}
