import type { Cluster, ClusterNeeds, IdentityConfig } from '../../../src/identity/cluster/cluster.ts';
import { seedBundleUntilDone } from '../../../src/identity/cluster/seed-bundle.ts';
import { checkIssuerConfig } from '../../../src/issuers/create-issuer.ts';
import { identityChecks, identitySettings } from '../../../src/identity/settings.ts';
import { configMaps } from '../../../src/kube/resources.ts';
import { readEnvironment } from '../../../src/runtime/env.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryKube } from '../../support/memory-kube.ts';
import { TestCa } from '../../support/test-ca.ts';
import { FakeVault } from '../../issuers/vault/support/fake-vault.ts';
import { pkiReply } from '../../issuers/vault/support/scripted-vault.ts';

const root = TestCa.create();
const place = { namespace: 'kedge', name: 'kedge-trust-bundle' };
const key = 'ca-bundle.crt';

/** Seeds through a server without TLS, so with the fingerprint of the settings. */
async function seed(
  kube: MemoryKube,
  vault: FakeVault,
  clock = new ManualClock(new Date()),
): Promise<string[]> {
  const config: IdentityConfig = readEnvironment(
    identitySettings,
    {
      KEDGE_ISSUER: 'vault',
      KEDGE_VAULT_ADDR: vault.address.origin,
      KEDGE_VAULT_ALLOW_PLAINTEXT: 'true',
      KEDGE_VAULT_ANCHOR_SHA256: root.certificate.fingerprint,
      KEDGE_TRUST_BUNDLE_CONFIG_MAP: place.name,
      KEDGE_TOKEN_VERIFIER: 'token-review',
    },
    ...identityChecks,
    checkIssuerConfig,
  );
  const told: string[] = [];
  const health = { degraded: (_part: string, reason: string | undefined) => told.push(reason ?? 'well') };
  const { signal } = new AbortController();
  const needs = { clock, log: new LogCapture(), health, signal } as unknown as ClusterNeeds;
  await seedBundleUntilDone(config, { client: kube } as unknown as Cluster, needs);
  return told;
}

const honest = (): Promise<FakeVault> => FakeVault.start(() => pkiReply(root.certificate, []));
const bundleIn = (kube: MemoryKube): unknown =>
  (kube.object(configMaps, place) as { data?: Record<string, string> } | undefined)?.data?.[key];

describe('seedBundleUntilDone', () => {
  it('makes the bundle of what Vault shows where there is none', async () => {
    await using vault = await honest();
    const kube = new MemoryKube();
    await seed(kube, vault);
    expect(bundleIn(kube)).toBe(root.certificate.pem);
  });

  it('fills one that is there and empty', async () => {
    await using vault = await honest();
    const kube = new MemoryKube();
    kube.put(configMaps, { metadata: place, data: { [key]: '' } });
    await seed(kube, vault);
    expect(bundleIn(kube)).toBe(root.certificate.pem);
  });

  it('leaves one alone that holds anchors, and does not ask Vault', async () => {
    await using vault = await honest();
    const kube = new MemoryKube();
    const other = TestCa.create().certificate.pem;
    kube.put(configMaps, { metadata: place, data: { [key]: other } });
    await seed(kube, vault);
    expect(bundleIn(kube)).toBe(other);
    expect(vault.calls).toEqual([]);
    expect(kube.writes).toEqual([]);
  });

  it('says why it cannot, and goes on until it can', async () => {
    await using vault = await FakeVault.start(() => ({ status: 503, body: { errors: ['Vault is sealed'] } }));
    const kube = new MemoryKube();
    const clock = new ManualClock(new Date());
    const seeded = seed(kube, vault, clock);
    await eventually(() => expect(clock.pending).toBe(1));
    await eventually(() => expect(vault.calls.length).toBeGreaterThan(0));
    vault.handle = () => pkiReply(root.certificate, []);
    const told = await eventually(async () => {
      await clock.advance(30_000);
      expect(bundleIn(kube)).toBe(root.certificate.pem);
      return seeded;
    });
    expect(told[0]).toContain('Vault is sealed');
    expect(told.at(-1)).toBe('well');
  });
});
