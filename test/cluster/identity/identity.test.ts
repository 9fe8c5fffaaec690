import { eventually } from '../../support/eventually.ts';
import { onKubernetes } from '../on-kubernetes.ts';
import { bundleTests } from './bundle-tests.ts';
import { caTests } from './ca-tests.ts';
import { access } from './control-namespace.ts';
import { eventTests } from './event-tests.ts';
import { endingIn, expiryTests, processExpiryTests, webhookSecret } from './expiry-tests.ts';
import { RunningIdentity } from './running-identity.ts';
import { tokenTests } from './token-tests.ts';

onKubernetes('identity on a real API server', (cluster) => {
  const identity = new RunningIdentity(cluster);

  beforeAll(async () => {
    await cluster.createNamespace('kedge');
    await identity.kubectl(['create', '--filename=-'], webhookSecret(endingIn(13)));
    await identity.start();
  }, 120_000);
  afterAll(() => identity.end());

  describe('the CA', () => caTests(identity));
  describe('tokens', () => tokenTests(identity));
  describe('Events', () => eventTests(identity));
  describe('the trust anchors', () => bundleTests(identity));
  describe('warnings of an end', () => expiryTests(identity));

  it('says which right is missing, and is ready when it was given', async () => {
    const list = (items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const less = access(({ resource }) => resource.plural === 'tokenreviews');
    await cluster.kubectl(['apply', '-f', '-'], { input: list(less) });
    await using replica = identity.another();
    const { reason } = await replica.line('waiting for access to the API server');
    expect(reason).toBe(
      'expected the right to create tokenreviews.authentication.k8s.io, found it is not given',
    );
    expect(await replica.ready()).toContain('503 not ready');
    await cluster.kubectl(['apply', '-f', '-'], { input: list(access()) });
    await eventually(async () => expect(await replica.ready()).toContain('200 ready'));
  });

  it('goes on with what it has when rights are taken away while it runs, and does all again when they are given back', async () => {
    const apply = (objects: object[]) =>
      cluster.kubectl(['apply', '-f', '-'], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      });
    const token = await identity.token();
    const kinds = ['tokenreviews', 'secrets', 'namespaces'];
    await apply(access(({ resource }) => kinds.includes(resource.plural)));
    // A watch is judged when it begins.
    await cluster.kill();
    await cluster.restart();
    await eventually(async () => {
      const { status, message } = await identity.certify(token);
      expect([status, message]).toEqual([14, expect.stringContaining('tokenreviews')]);
      const ready = await identity.first.ready();
      for (const text of ['200 ready', 'degraded: issuer-secret', 'degraded: namespaces']) {
        expect(ready).toContain(text);
      }
    });
    await apply(access());
    await cluster.createNamespace('after');
    await eventually(async () => {
      expect((await identity.certify(token)).status).toBe(0);
      expect(await identity.bundleIn('after')).toBe(await identity.bundleIn('kedge'));
      expect(await identity.first.ready()).toBe('200 ready\n');
    });
  }, 120_000);

  it('says when to come back while the API server is away, and goes on when it is there again', async () => {
    const token = await identity.token();
    await cluster.kill();
    const { status, message, trailers } = await identity.certify(token);
    expect(status).toBe(14);
    expect(message).toContain('token review: expected the word of the API server');
    expect(trailers['grpc-status-details-bin']).toBeDefined();
    expect(await identity.first.ready()).toContain('200 ready');
    await cluster.restart();
    await eventually(async () => expect((await identity.certify(token)).status).toBe(0));
  }, 60_000);

  processExpiryTests(identity);
});
