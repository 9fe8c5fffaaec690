import { systemClock } from '../../runtime/clock.ts';
import { bootstrap } from '../bootstrap/bootstrap.ts';
import type { World } from './world.ts';

/** Makes the mesh's CA, puts its issuer in use, and makes a second issuer under the same anchor to change to later. */
export async function makeAuthorities(world: World): Promise<{ nextIssuer: string }> {
  const mesh = { trustDomain: 'cluster.local', controlNamespace: 'kedge', clock: systemClock };
  const first = await bootstrap({ ...mesh, directory: world.path('ca') });
  const next = await bootstrap({
    ...mesh,
    directory: world.path('next-ca'),
    anchorCertificateFile: first.layout.anchorCertificate,
    anchorKeyFile: first.layout.anchorKey,
  });
  world.writeFiles();
  world.useIssuer(first.layout.issuerDirectory);
  return { nextIssuer: next.layout.issuerDirectory };
}
