import type { ExaminedMesh } from '../../issuers/doctor/needs.ts';
import { MeshDomain } from '../../pki/workload-identity.ts';
import type { DoctorConfig } from './settings.ts';

/** The mesh of the settings; throws `identity_malformed` where its names are too long together. */
export function meshOf(config: DoctorConfig): ExaminedMesh {
  const { controlNamespace, trustDomain, serviceAccount, issuanceLifetime: lifetimeMs } = config;
  const identity = new MeshDomain(controlNamespace, trustDomain).identity(controlNamespace, serviceAccount);
  return { identity, controlNamespace, trustDomain, serviceAccount, lifetimeMs };
}
