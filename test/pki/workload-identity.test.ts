import { MeshDomain, WorkloadIdentity } from '../../src/pki/workload-identity.ts';
import { refusal } from '../support/refusal.ts';

const mesh = new MeshDomain('kedge', 'cluster.local');

describe('WorkloadIdentity', () => {
  it('has the names of the contract', () => {
    const identity = mesh.identity('shop', 'web');
    expect(identity.dnsName).toBe('web.shop.serviceaccount.identity.kedge.cluster.local');
    expect(identity.spiffeId).toBe('spiffe://cluster.local/ns/shop/sa/web');
    expect(identity.toString()).toBe(identity.dnsName);
    expect(identity).toMatchObject({ namespace: 'shop', serviceAccount: 'web' });
  });

  it('keeps dots with the service account, which may have them, and not with the namespace, which may not', () => {
    const identity = mesh.parse('web.v2.shop.serviceaccount.identity.kedge.cluster.local');
    expect(identity).toMatchObject({ namespace: 'shop', serviceAccount: 'web.v2' });
    expect(identity.spiffeId).toBe('spiffe://cluster.local/ns/shop/sa/web.v2');
  });

  it('is not led astray by a service account that looks like the type', () => {
    const tricky = mesh.identity('shop', 'a.b.serviceaccount.identity.kedge.cluster.local');
    expect(mesh.parse(tricky.dnsName).equals(tricky)).toBe(true);
    expect(mesh.parse(tricky.dnsName)).toMatchObject({ namespace: 'shop' });
  });

  it('equals an identity of the same name and no other', () => {
    expect(mesh.identity('shop', 'web').equals(mesh.identity('shop', 'web'))).toBe(true);
    expect(mesh.identity('shop', 'web').equals(mesh.identity('shop', 'api'))).toBe(false);
    expect(
      mesh.identity('shop', 'web').equals(new MeshDomain('other', 'cluster.local').identity('shop', 'web')),
    ).toBe(false);
  });
});

describe('what is not an identity', () => {
  const SUFFIX = '.serviceaccount.identity.kedge.cluster.local';

  it.each([
    ['another mesh', 'web.shop.serviceaccount.identity.linkerd.cluster.local'],
    ['another trust domain', 'web.shop.serviceaccount.identity.kedge.example.org'],
    ['another type', 'web.shop.user.identity.kedge.cluster.local'],
    ['a trailing dot', `web.shop${SUFFIX}.`],
    ['upper case in the suffix', 'web.shop.ServiceAccount.identity.kedge.cluster.local'],
    ['nothing', ''],
  ])('refuses %s', (_name, dnsName) => {
    expect(refusal(() => mesh.parse(dnsName))).toBe(
      `identity_malformed: expected a name ending in ${SUFFIX}, got ${JSON.stringify(dnsName)}`,
    );
  });

  it('refuses a name without a namespace', () => {
    expect(refusal(() => mesh.parse(`web${SUFFIX}`))).toBe(
      `identity_malformed: expected <service account>.<namespace> before ${SUFFIX}, got "web"`,
    );
  });

  it.each(['', 'Shop', 'sh_op', '-shop', 'shop-', 'a.b', 'shöp', 'shop\n', '*', 'a'.repeat(64)])(
    'refuses the namespace %j',
    (namespace) => {
      expect(refusal(() => mesh.identity(namespace, 'web'))).toBe(
        `identity_malformed: expected the namespace to be a DNS label (a-z, 0-9, -, at most 63 characters), got ${JSON.stringify(namespace)}`,
      );
    },
  );

  it.each(['', 'Web', '.web', 'web.', 'a..b', 'web:admin', 'web/../x', 'a'.repeat(64)])(
    'refuses the service account %j',
    (serviceAccount) => {
      expect(refusal(() => mesh.identity('shop', serviceAccount))).toBe(
        `identity_malformed: expected the service account to be DNS labels joined by dots, got ${JSON.stringify(serviceAccount)}`,
      );
    },
  );

  it('refuses an identity too long for a DNS name', () => {
    const serviceAccount = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(30)}`;
    expect(refusal(() => mesh.identity('shop', serviceAccount))).toMatch(
      /^identity_malformed: expected the identity to be at most 253 characters, got 26\d$/,
    );
  });

  it.each(['\u007f', '\u009b2J', '\u202e'])('shows %j in no message as it is', (odd) => {
    expect(refusal(() => mesh.parse(`web${odd}`))).not.toContain(odd);
  });

  it('shortens a long name in its message', () => {
    expect(refusal(() => mesh.parse('x'.repeat(5000))).length).toBeLessThan(250);
  });

  it('refuses a mesh whose namespace is not a label or whose trust domain is not a name', () => {
    expect(refusal(() => new MeshDomain('a.b', 'cluster.local'))).toMatch(
      /^identity_malformed: expected the control namespace to be a DNS label/,
    );
    expect(refusal(() => new MeshDomain('kedge', 'Cluster'))).toMatch(
      /^identity_malformed: expected the trust domain to be DNS labels/,
    );
    expect(refusal(() => new MeshDomain('kedge', ''))).toMatch(
      /^identity_malformed: expected the trust domain to be DNS labels/,
    );
  });

  it('cannot be made but through the checks', () => {
    expect(refusal(() => WorkloadIdentity.of(mesh, 'shop', 'bad name'))).toMatch(
      /^identity_malformed: expected the service account/,
    );
  });
});
