import { fieldsOf, type VaultClient } from './vault-client.ts';

const path = 'sys/capabilities-self';

/** Whether the token is known not to be allowed a write to the path. A token that may not ask is not known to be. */
export async function isDenied(
  client: Pick<VaultClient, 'write'>,
  wanted: string,
  token: string,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await client.write(path, { paths: [wanted] }, { token, signal }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    return undefined;
  });
  const fields = fieldsOf(answer);
  const capabilities = fieldsOf(fields['data'])[wanted] ?? fields[wanted];
  if (!Array.isArray(capabilities)) return false;
  return !capabilities.some((each) => each === 'update' || each === 'root');
}
