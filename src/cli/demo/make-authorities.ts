import { systemClock } from '../../runtime/clock.ts';
import { bootstrap } from '../bootstrap/bootstrap.ts';
import { layoutOf } from '../bootstrap/layout.ts';
import type { World } from './world.ts';

const mesh = { trustDomain: 'cluster.local', controlNamespace: 'kedge', clock: systemClock };

/** Makes the mesh's CA and puts its issuer in use. Answers with the directory of that issuer. */
export async function makeAuthorities(world: World): Promise<string> {
  const { layout } = await bootstrap({ ...mesh, directory: world.path('ca') });
  world.useIssuer(layout.issuerDirectory);
  return layout.issuerDirectory;
}

/** Makes one more issuer under the same anchor, for `World.useIssuer`. Answers with its directory, which is in `name`. */
export async function makeNextIssuer(world: World, name: string): Promise<string> {
  const { anchorCertificate, anchorKey } = layoutOf(world.path('ca'));
  const { layout } = await bootstrap({
    ...mesh,
    directory: world.path(name),
    anchorCertificateFile: anchorCertificate,
    anchorKeyFile: anchorKey,
  });
  return layout.issuerDirectory;
}
