import { certManagerBuild } from '../../cluster/cert-manager/cert-manager-build.ts';
import { onCertManager } from '../../cluster/cert-manager/on-cert-manager.ts';
import { certManagerDirect } from './columns/cert-manager-direct.ts';
import { certManagerIntermediate } from './columns/cert-manager-intermediate.ts';
import { conformance } from './conformance.ts';

const seenOn = `real ${certManagerBuild.title}`;

// Each cell leaves issuers behind, which cert-manager looks at again and again: at its usual pace it would fall behind.
onCertManager(
  'a real cert-manager:',
  (rig) => {
    conformance(certManagerDirect(rig, seenOn));
    conformance(certManagerIntermediate(rig, seenOn));
  },
  { callsPerSecond: 200 },
);
