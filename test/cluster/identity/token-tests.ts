import { reviewToken } from '../../../src/identity/token/token-review.ts';
import { eventually } from '../../support/eventually.ts';
import { TokenIssuer } from '../../support/token-issuer.ts';
import { account } from './control-namespace.ts';
import { audience, certificatesOf, identityOf, type RunningIdentity } from './running-identity.ts';

/** Whose tokens are taken, by the word of the API server and by what stands before it. */
export function tokenTests(identity: RunningIdentity): void {
  const { cluster } = identity;
  const workload = { namespace: 'shop', name: 'default' };
  const reviews = (): number => identity.requests('tokenreviews').length;

  it('certifies a ServiceAccount with dots in its name by a token of its pod, and records the pod', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'web.v1', '-n', 'shop']);
    const answer = await identity.certify(`${await identity.token('web.v1')}\n`, 'web.v1');
    expect([answer.status, answer.message]).toEqual([0, 'OK']);
    const [leaf] = certificatesOf(answer);
    expect(leaf?.sans.dns).toEqual([identityOf('web.v1')]);
  });

  it('records pod and node, with their ids, of the token that it was shown', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } };
    await cluster.expect('/api/v1/nodes', { method: 'POST', body: node });
    await identity.createPod('on-a-node', { nodeName: 'node-1' });
    const path = '/api/v1/namespaces/shop/pods/on-a-node';
    const { metadata } = await cluster.expect<{ metadata: { uid: string } }>(path);
    expect((await identity.certify(await identity.token('default', 'on-a-node'))).status).toBe(0);
    expect(identity.first.withMessage('certificate given').at(-1)).toMatchObject({
      tokenSubject: 'system:serviceaccount:shop:default',
      podName: 'on-a-node',
      podUid: metadata.uid,
      nodeName: 'node-1',
      credentialId: expect.stringMatching(/^JTI=/) as string,
    });
  });

  it('gets the word of the API server for its own audience alone', async () => {
    const client = await cluster.clientAs(account);
    const { signal } = new AbortController();
    const review = async (wish: { readonly audience?: string }) =>
      reviewToken(client, await cluster.token(workload, wish), audience, signal);
    expect(await review({ audience })).toMatchObject({ authenticated: true, audiences: [audience] });
    for (const wish of [{ audience: 'vault' }, {}]) {
      const { authenticated = false, audiences = [] } = await review(wish);
      expect([authenticated, audiences]).toEqual([false, []]);
    }
  });

  it('refuses the token of a pod that was deleted', async () => {
    await identity.createPod('web-1');
    expect((await identity.certify(await identity.token('default', 'web-1'))).status).toBe(0);
    // Not the one of before: the API server keeps its good word on a token for ten seconds.
    const token = await identity.token('default', 'web-1');
    await cluster.kubectl(['delete', 'pod', 'web-1', '-n', 'shop', '--force', '--grace-period=0']);
    await eventually(async () => {
      const { status, message } = await identity.certify(token);
      expect(status).toBe(9);
      expect(message).toContain('service account token has been invalidated');
    });
  }, 60_000);

  it('refuses the token of a ServiceAccount that was deleted and made again', async () => {
    await cluster.kubectl(['create', 'serviceaccount', 'again', '-n', 'shop']);
    const token = await identity.token('again');
    await cluster.kubectl(['delete', 'serviceaccount', 'again', '-n', 'shop']);
    await cluster.kubectl(['create', 'serviceaccount', 'again', '-n', 'shop']);
    await eventually(async () => {
      const { status, message } = await identity.certify(token, 'again');
      expect(status).toBe(9);
      expect(message).toContain('a token that the API server accepts');
    });
    expect((await identity.certify(await identity.token('again'), 'again')).status).toBe(0);
  }, 60_000);

  it.each<[string, () => Promise<string>, string]>([
    [
      'for another audience',
      () => cluster.token(workload, { audience: 'vault' }),
      'expected exactly one audience',
    ],
    ['for the API server', () => cluster.token(workload), 'expected exactly one audience'],
    [
      'with a signature that was changed',
      async () => `${(await identity.token()).slice(0, -8)}AAAAAAAA`,
      'got one that does not verify',
    ],
  ])('refuses a token %s without asking the API server', async (_, make, message) => {
    const token = await make();
    const before = reviews();
    const answer = await identity.certify(token, 'default', { replica: identity.replicas[1]! });
    expect(answer.status).toBe(9);
    expect(answer.message).toContain(message);
    expect(reviews()).toBe(before);
  });

  it('lets the API server judge a token under a key that is not published, and takes its refusal', async () => {
    const [, payload = ''] = (await identity.token()).split('.');
    const { iss: issuer } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss: string };
    const forger = new TokenIssuer({ issuer, audience, keyId: 'unheard-of', algorithm: 'RS256' });
    const before = reviews();
    const { status, message } = await identity.certify(forger.sign('system:serviceaccount:shop:default'));
    expect([status, message]).toEqual([9, expect.stringContaining('a token that the API server accepts')]);
    await eventually(() => expect(reviews()).toBe(before + 1));
  });
}
