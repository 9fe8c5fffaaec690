import { isDnsLabel, isDnsName } from '../../runtime/dns-names.ts';
import type { ServiceAccountName } from './subject-map.ts';

const prefix = 'system:serviceaccount:';

/**
 * The ServiceAccount behind a user name of the API server, `system:serviceaccount:<namespace>:<name>`, or undefined
 * for any other user. Names of ServiceAccounts may hold dots, namespaces may not.
 */
export function serviceAccountOf(username: string): ServiceAccountName | undefined {
  if (!username.startsWith(prefix)) return undefined;
  const [namespace = '', serviceAccount = '', ...more] = username.slice(prefix.length).split(':');
  if (more.length > 0 || !isDnsLabel(namespace) || !isDnsName(serviceAccount)) return undefined;
  return { namespace, serviceAccount };
}
