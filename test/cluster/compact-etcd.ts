/** Compacts an etcd of this machine up to its present revision, through the JSON door of its API. */
export async function compactEtcd(port: number): Promise<void> {
  const { header } = (await post(port, 'kv/range', { key: Buffer.from('/').toString('base64') })) as {
    readonly header: { readonly revision: string };
  };
  await post(port, 'kv/compaction', { revision: header.revision, physical: true });
}

async function post(port: number, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { connection: 'close' },
  });
  if (!answer.ok)
    throw new Error(`etcd ${path}: expected success, got ${answer.status} ${await answer.text()}`);
  return answer.json();
}
