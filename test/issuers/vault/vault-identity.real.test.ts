import { generateKeyPairSync } from 'node:crypto';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { run } from '../../../src/cli/run.ts';
import { World } from '../../../src/cli/demo/world.ts';
import { checkIssued } from '../../../src/issuers/check-issued.ts';
import { isAppError } from '../../../src/runtime/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../../src/runtime/socket-address.ts';
import { IdentityProcess } from '../../cluster/identity/identity-process.ts';
import { certificatesOf } from '../../cluster/identity/running-identity.ts';
import { buildCsr } from '../../support/csr-builder.ts';
import { eventually } from '../../support/eventually.ts';
import type { RawAnswer } from '../../support/raw-grpc.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import { request } from '../support/issue-request.ts';
import { enableAppRole } from './support/app-role.ts';
import { MeshPki } from './support/mesh-pki.ts';
import { onVault } from './support/on-vault.ts';
import { VaultRig } from './support/vault-rig.ts';

const { signal } = new AbortController();
const rsa4096 = generateKeyPairSync('rsa', { modulusLength: 4096 });

/** What `kedge issuer status` says of a replica. */
async function status(identity: IdentityProcess): Promise<string> {
  const { adminAddress } = (await identity.line('serving')) as unknown as { adminAddress: SocketAddress };
  let text = '';
  const write = (part: Buffer, _: unknown, done: () => void): void => {
    text += part.toString();
    done();
  };
  const [stdout, stderr] = [new Writable({ write }), new Writable({ write })];
  await run(['issuer', 'status', '--address', formatSocketAddress(adminAddress)], { stdout, stderr });
  return text;
}

onVault('the identity service with a CA in Vault', (server) => {
  const directory = new TemporaryDirectory();
  const root = TestCa.create();
  const ca = root.intermediate({ keyPair: rsa4096 });
  let world: World;
  let env: Readonly<Record<string, string>>;
  let settings: Readonly<Record<string, string>>;

  beforeAll(async () => {
    world = await World.create({ prefix: 'kedge-test-', ports: [], workloads: ['web'] });
    await new MeshPki(server).create(ca);
    const login = await enableAppRole(server, directory);
    env = { KEDGE_VAULT_ADDR: server.address, KEDGE_VAULT_CA_FILE: server.caFile, ...login };
    directory.write({ 'anchors.pem': root.certificate.pem });
    settings = {
      ...env,
      KEDGE_ISSUER: 'vault',
      // One workload asks again and again here.
      KEDGE_RATE_PER_PEER: '1000',
      KEDGE_RATE_PER_SERVICE_ACCOUNT: '1000',
      KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
      KEDGE_TOKEN_ISSUER: world.tokens.url,
      KEDGE_TOKEN_JWKS_FILE: world.path('jwks.json'),
      KEDGE_TOKEN_SUBJECTS_FILE: world.path('subjects.json'),
    };
  });
  afterAll(() => {
    world.remove();
    directory[Symbol.dispose]();
  });

  const certify = (identity: IdentityProcess): Promise<RawAnswer> => {
    const { dnsName, spiffeId } = world.identityOf('web');
    const claims = { subject: world.subjectOf('web'), audience: 'identity.l5d.io', validForSeconds: 600 };
    const token = world.tokens.issue(claims, new Date());
    const csr = buildCsr({ dnsNames: [dnsName], uris: [spiffeId] });
    return identity.certify({ identity: dnsName, token, csr }, root.certificate.pem);
  };
  const becomesReady = (identity: IdentityProcess): Promise<void> =>
    eventually(async () => expect(await identity.ready()).toBe('200 ready\n'));

  it('gives a certificate with both names and what leads to the anchor, and says until when it can', async () => {
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await rig.ready();
    const issued = await rig.issuer.issue(request, signal);
    const answer = { request, issued, bundle: root.bundle, now: new Date() };
    expect(() => checkIssued(answer, () => undefined)).not.toThrow();
    expect(issued.intermediates.map(({ label }) => label)).toEqual([ca.certificate.label]);
    const { notBefore, notAfter, fingerprint } = ca.certificate;
    expect(rig.issuer.state.value).toEqual({
      state: 'ready',
      ...{ notBefore, notAfter, fingerprint },
      asksCa: true,
    });
  });

  it('has a CA of its own signed for each replica, for this trust domain and no further CA, and signs with it', async () => {
    const own = { ...env, KEDGE_ISSUER_MODE: 'intermediate' };
    await using one = await VaultRig.start({ env: own, bundle: root.bundle });
    await using other = await VaultRig.start({ env: own, bundle: root.bundle });
    await Promise.all([one.ready(), other.ready()]);
    const { leaf, intermediates } = await one.issuer.issue(request, signal);
    const [made, above] = intermediates;
    expect(intermediates).toHaveLength(2);
    expect(made?.subject).toBe('CN=identity.cluster.local');
    expect(made?.pathLength).toBe(0);
    expect(made?.nameConstraints).toMatchObject({ permittedDns: ['cluster.local'], unsupported: [] });
    expect(above?.fingerprint).toBe(ca.certificate.fingerprint);
    expect(leaf.notAfter).toEqual(request.notAfter);
    const [first, second] = [one, other].map(({ issuer }) => issuer.state.value);
    expect(first).not.toEqual(second);
  });

  it('logs in, certifies under a CA of RSA 4096, tells an outage of Vault in all places and recovers', async () => {
    await using identity = new IdentityProcess('', { ...settings, KEDGE_ISSUER_TIMEOUT: '3s' });
    await becomesReady(identity);
    const [leaf, above] = certificatesOf(await certify(identity));
    expect(leaf?.sans.dns).toEqual([world.identityOf('web').dnsName]);
    expect(above?.publicKey.keyObject.asymmetricKeyDetails?.modulusLength).toBe(4096);
    await server.seal();
    const failed = await eventually(async () => {
      const answer = await certify(identity);
      expect(answer.message).toContain('expected a CA that answers, got none since');
      return answer;
    });
    expect(failed.status).toBe(14);
    await eventually(async () =>
      expect(await identity.ready()).toMatch(/^200 ready\ndegraded: issuer: .*sealed/),
    );
    expect(await status(identity)).toMatch(/away .*Vault is sealed/s);
    await server.unseal();
    await eventually(async () => expect((await certify(identity)).status).toBe(0));
    await certify(identity);
    await becomesReady(identity);
    expect(await status(identity)).not.toContain('sealed');
    const told = ['the CA does not answer; until it does, only probes reach it', 'the CA answers again'];
    for (const message of told) expect(identity.withMessage(message)).toHaveLength(1);
  });

  it('signs on with its intermediate while Vault is sealed, and is not ready when it is started then', async () => {
    const own = { ...settings, KEDGE_ISSUER_MODE: 'intermediate' };
    await using first = new IdentityProcess('', own);
    await becomesReady(first);
    await server.seal();
    expect(certificatesOf(await certify(first))).toHaveLength(3);
    await using second = new IdentityProcess('', own);
    await eventually(async () => expect(await second.ready()).toMatch(/^503 not ready\n.*issuer: .*sealed/s));
    expect(certificatesOf(await certify(first))).toHaveLength(3);
    await server.unseal();
    await becomesReady(second);
    expect((await certify(second)).status).toBe(0);
  });

  it("keeps to Vault's own quota: what is over it gets another turn, and none is taken for an outage", async () => {
    const path = 'sys/quotas/rate-limit/kedge';
    await server.expect(path, { body: { path: 'pki/sign/kedge', rate: 5, interval: '1s' } });
    await using rig = await VaultRig.start({ env, bundle: root.bundle });
    await rig.ready();
    const issued = Array.from({ length: 15 }, () => rig.issuer.issue(request, signal));
    expect(await Promise.all(issued)).toHaveLength(15);
    expect(await rig.metrics.text()).toMatch(/\nkedge_issuer_held_back_total [1-9]/);
    expect(rig.issuer.state.value).not.toHaveProperty('outage');
    await server.expect(path, { method: 'DELETE' });
  });

  it('gives each of 10,000 that ask at once a certificate, or word when to come back', async () => {
    await using rig = await VaultRig.start({
      env: { ...env, KEDGE_ISSUER_TIMEOUT: '4s' },
      bundle: root.bundle,
    });
    await rig.ready();
    const issue = (): Promise<string> =>
      rig.issuer.issue(request, signal).then(
        () => 'given',
        (error: unknown) =>
          isAppError(error) && error.retryAfterMs !== undefined ? 'sent away' : String(error),
      );
    const outcomes: Promise<string>[] = [];
    for (let number = 0; number < 10_000; number += 1) {
      outcomes.push(issue());
      // They come over the network, and not all within one turn of it.
      if (number % 100 === 99) await setImmediate();
    }
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['given', 'sent away']));
    await eventually(async () => expect(await issue()).toBe('given'));
  });
});
