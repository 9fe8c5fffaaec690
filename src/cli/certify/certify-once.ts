import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { Mesh } from '../demo/mesh.ts';
import { OutsideClient } from '../demo/outside-client.ts';
import { identityProcess, type ProcessOptions, type Settings } from '../demo/processes.ts';
import { World } from '../demo/world.ts';
import { cliErrors } from '../errors.ts';
import { describeCertificate } from '../identity/describe.ts';
import type { IdentityReport } from '../identity/inspect-identity.ts';
import { readAnchors } from '../identity/read-certificates.ts';
import { verifyIdentity } from '../identity/verify-identity.ts';
import { Certificate } from '../../pki/certificate.ts';
import { parsePem } from '../../pki/pem.ts';
import { readSmallFile } from '../read-file.ts';

export interface CertifyOptions {
  /** Settings of the identity service, as `NAME=value` lines. */
  readonly file: string;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

const workload = 'web';
const anchorsSetting = 'KEDGE_TRUST_ANCHORS_FILE';

/**
 * The certificate that an identity service with these settings gives to a workload, judged as a peer would judge it.
 *
 * Rejects with the identity service's own words where it does not become ready or gives none.
 */
export async function certifyOnce({ file, signal }: CertifyOptions): Promise<IdentityReport> {
  const given = await readSettings(file);
  const anchorsFile = path.resolve(path.dirname(file), given[anchorsSetting] ?? '');
  const anchors = await readAnchors(anchorsFile);
  const world = await World.create({ prefix: 'kedge-certify-', ports: [], workloads: [workload] });
  const mesh = new Mesh(world, systemClock, signal);
  try {
    mkdirSync(world.path('ca'));
    writeFileSync(world.anchorsFile, anchors.pem);
    await mesh.start(identityWith(world, given));
    const log = createLog({ name: 'certify', level: 'error' });
    const { chain } = await new OutsideClient({ world, clock: systemClock, log }).certificate(workload);
    const certificates = parsePem(chain).map(({ der }) => Certificate.parse(der));
    const { dnsName: name } = world.identityOf(workload);
    const at = systemClock.now();
    return {
      target: `shop/${workload}, signed through ${issuerOf(given)}`,
      certificates: certificates.map((certificate) => describeCertificate(certificate, at)),
      anchorsFile,
      verification: verifyIdentity({ certificates, anchors, at, usage: 'both', name }),
    };
  } finally {
    await mesh.stop();
    world.remove();
  }
}

/** What the file says holds, but for where the process listens and whose tokens it believes. */
function identityWith(world: World, given: Settings): ProcessOptions {
  const identity = identityProcess(world);
  const own = Object.entries(identity.settings ?? {}).filter(([name]) => !name.startsWith('KEDGE_ISSUER'));
  return { ...identity, settings: { ...given, ...Object.fromEntries(own) } };
}

function issuerOf({ KEDGE_ISSUER: issuer = 'local', KEDGE_ISSUER_MODE: mode, ...more }: Settings): string {
  const { KEDGE_VAULT_ADDR: address } = more;
  return [issuer, mode, issuer === 'vault' ? address : undefined].filter(Boolean).join(', ');
}

async function readSettings(file: string): Promise<Settings> {
  const settings = parseEnv((await readSmallFile(file)).toString('utf8'));
  const named = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value]],
  );
  if (!named.some(([name]) => name === anchorsSetting)) {
    const message = `${file}: expected settings of the identity service with ${anchorsSetting}, got ${named.length} without`;
    throw cliErrors.error('settings_incomplete', message);
  }
  return Object.fromEntries(named) as Settings;
}
