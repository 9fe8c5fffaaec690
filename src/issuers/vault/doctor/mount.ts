import { errorCode } from '../../../runtime/errors.ts';
import { examinedEnd } from '../../doctor/ca-end.ts';
import { failure, fullMessage } from '../../doctor/failure.ts';
import { failed, passed, skipped, warned, type Check, type Finding } from '../../doctor/finding.ts';
import type { ExaminationNeeds } from '../../doctor/needs.ts';
import { readMountCa } from '../mount-ca.ts';
import type { PkiPaths } from '../pki-paths.ts';
import { pathOfCa } from '../signing-ca.ts';
import { fieldsOf, type VaultClient } from '../vault-client.ts';
import { roleFaults } from './role-rules.ts';
import { issuerAdvice } from './sign-advice.ts';
import type { VaultSetup } from './vault-setup.ts';

const ca: Check = { check: 'vault.ca', title: 'its CA leads to a trust anchor' };
const role: Check = { check: 'vault.role', title: 'the role is fit' };

/** The CA in the PKI mount, which anybody may read. */
export async function examineMountCa(
  client: Pick<VaultClient, 'read'>,
  paths: PkiPaths,
  setup: VaultSetup,
  { bundle, clock, signal }: ExaminationNeeds,
): Promise<Finding> {
  try {
    const found = await readMountCa(client, paths, signal);
    const { label, fingerprint } = found.certificate;
    if (bundle === undefined)
      return skipped(ca, `${label} (${fingerprint}): there are no trust anchors to compare with`);
    return examinedEnd(ca, `${label} (${fingerprint})`, pathOfCa(found, bundle, clock.now()), clock.now());
  } catch (error) {
    const advice = issuerAdvice(error, setup);
    if (advice !== undefined) return failed(ca, fullMessage(error), advice);
    return failure(ca, error, errorCode(error) === 'vault_path_missing' ? `mount ${paths.issuer}` : 'ca');
  }
}

/** The role that certificates are signed under, each field that does not fit by itself. */
export async function examineRole(
  client: Pick<VaultClient, 'read'>,
  setup: VaultSetup,
  token: string,
  { mesh, signal }: ExaminationNeeds,
): Promise<Finding[]> {
  const { rolePath } = setup;
  try {
    const answer = await client.read(rolePath, { token, signal });
    const faults = roleFaults(fieldsOf(fieldsOf(answer)['data']), mesh);
    if (faults.length === 0) return [passed(role, `${rolePath} has what is needed, and no more`)];
    return faults.map(({ field, result, seen, wanted }) => {
      const check = { check: `vault.role.${field}`, title: `${role.title}: ${field}` };
      const advice = { concerns: `role ${field}`, remedy: `vault patch ${rolePath} ${wanted}` };
      return result === 'fail' ? failed(check, seen, advice) : warned(check, seen, advice);
    });
  } catch (error) {
    // That it is not allowed is told with the other rights.
    if (errorCode(error) === 'vault_forbidden') return [skipped(role, 'it may not be looked at')];
    return [failure(role, error, 'role')];
  }
}
