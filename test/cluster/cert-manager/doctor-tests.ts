import { eventually } from '../../support/eventually.ts';
import { concerned, doctor, examine } from '../../support/kedge-doctor.ts';
import { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { TestCa } from '../../support/test-ca.ts';
import type { TestCluster } from '../test-cluster.ts';
import { approverTitle, definePolicies, startApprover } from './approver.ts';
import { applyObject, caIssuer, certManagerPath, ready } from './objects.ts';
import type { CertManagerRig } from './on-cert-manager.ts';
import type { Policy } from './policy-approver.ts';
import { Requests } from './requests.ts';

type Env = Readonly<Record<string, string>>;
type Mode = 'direct' | 'intermediate';

const decade = new Date(Date.now() + 10 * 365 * 24 * 3_600_000);
const account = 'kedge-identity';
const policiesPath = '/apis/policy.cert-manager.io/v1alpha1/certificaterequestpolicies';

/** A mesh of its own in a namespace, with an Issuer of kind CA and what the doctor has printed. */
class Place implements Disposable {
  readonly cluster: TestCluster;
  readonly namespace: string;
  readonly directory = new TemporaryDirectory();
  readonly requests: Requests;
  env: Env = {};
  printed = '';

  private constructor(cluster: TestCluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.requests = new Requests(cluster, namespace);
  }

  static async make(cluster: TestCluster, namespace: string, mode: Mode, ca: TestCa): Promise<Place> {
    const place = new Place(cluster, namespace);
    const { directory } = place;
    await cluster.createNamespace(namespace);
    await cluster.kubectl(['create', 'serviceaccount', account, '-n', namespace]);
    await caIssuer(cluster, { namespace, name: 'kedge', ca });
    directory.write({ 'anchors.pem': ca.anchor.pem });
    place.env = {
      KEDGE_ISSUER: 'cert-manager',
      KEDGE_ISSUER_MODE: mode,
      KEDGE_CONTROL_NAMESPACE: namespace,
      KEDGE_KUBECONFIG: await cluster.kubeconfigAs({ namespace, name: account }),
      KEDGE_TRUST_ANCHORS_FILE: directory.file('anchors.pem'),
      KEDGE_ISSUER_TIMEOUT: '20s',
    };
    const { text, code } = await doctor(place.env, '--print');
    expect(code).toBe(0);
    place.printed = text;
    return place;
  }

  async apply(text: string): Promise<void> {
    await this.cluster.kubectl(['apply', '-f', '-'], { input: text });
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

/** Where cert-manager's own approver lets everything pass. */
export function testDoctorWithoutPolicy(rig: CertManagerRig): void {
  it('is found by the doctor to sign what it should not, as everything is approved', async () => {
    const root = TestCa.create({ notAfter: decade });
    await definePolicies(rig.cluster);
    using place = await Place.make(
      rig.cluster,
      'doctor-open',
      'direct',
      root.intermediate({ notAfter: decade }),
    );
    await place.apply(place.printed);
    const report = await examine(place.env);
    const failed = report.findings.filter(({ result }) => result === 'fail');
    expect(failed.map(({ check }) => check.replace('cert-manager.no-', ''))).toEqual(
      expect.arrayContaining([
        'foreign-dns-name',
        'foreign-spiffe-id',
        'wildcard',
        'ip-address',
        'ca',
        'year',
      ]),
    );
    expect(failed.every(({ remedy }) => remedy?.includes('approver-policy'))).toBe(true);
    expect(report.findings.filter(({ check }) => check.startsWith('cert-manager.sign'))).toMatchObject([
      { result: 'pass' },
      { result: 'pass' },
    ]);
    expect(report).toMatchObject({ code: 1, issuer: 'cert-manager', mode: 'direct' });
    await place.requests.gone();
  });

  it('is found by the doctor to lack an issuer, its kinds or an API server', async () => {
    using place = await Place.make(rig.cluster, 'doctor-less', 'direct', TestCa.create());
    await place.apply(place.printed);
    const admin = { ...place.env, KEDGE_KUBECONFIG: rig.cluster.kubeconfig };
    const none = await examine({ ...admin, KEDGE_CERT_MANAGER_ISSUER_NAME: 'nobody' });
    expect(none.findings.find(({ check }) => check === 'cert-manager.issuer')).toMatchObject({
      result: 'fail',
      seen: 'there is no Issuer nobody',
      concerns: 'issuer',
    });
    const away = await examine({ ...place.env, KEDGE_KUBECONFIG: '/not/there' });
    expect(away.findings).toMatchObject([{ check: 'kube', result: 'fail', concerns: 'kubeconfig' }]);
    expect([none.code, away.code]).toEqual([1, 1]);
  });
}

/** Where an approver goes by the policy that was printed. */
export function testDoctorWithPolicy(rig: CertManagerRig): void {
  describe(`with what the doctor has printed, decided on by ${approverTitle}`, () => {
    const ended = new AbortController();
    const root = TestCa.create({ notAfter: decade });
    let place: Place;
    let approving: Awaited<ReturnType<typeof startApprover>>;
    const policy = (): Promise<Policy> => place.cluster.expect<Policy>(`${policiesPath}/doctor-identity`);

    beforeAll(async () => {
      await definePolicies(rig.cluster);
      place = await Place.make(rig.cluster, 'doctor', 'direct', root.intermediate({ notAfter: decade }));
      await place.apply(place.printed);
      approving = await startApprover(rig.cluster, 'doctor', ended.signal);
    });
    afterAll(async () => {
      ended.abort();
      await approving.ended;
      place[Symbol.dispose]();
    });

    it('passes, and leaves no request behind', async () => {
      const report = await examine(place.env);
      expect(report.findings.filter(({ result }) => result !== 'pass')).toMatchObject([
        { check: 'cert-manager.issuer', result: 'skip' },
      ]);
      expect(report).toMatchObject({ code: 0, result: 'pass' });
      expect(JSON.stringify(report)).not.toMatch(/BEGIN|LS0t|eyJ/);
      await place.requests.gone();
    });

    it('passes from outside as well, and says that somebody else asks', async () => {
      const report = await examine({ ...place.env, KEDGE_KUBECONFIG: rig.cluster.kubeconfig });
      expect(concerned(report)).toEqual([]);
      expect(report.findings[1]?.seen).toContain('not the identity service');
      expect(report.findings.find(({ check }) => check === 'cert-manager.issuer')).toMatchObject({
        result: 'pass',
      });
    });

    it('names each verb that is taken away', async () => {
      const verbs = ['create', 'get', 'list', 'watch', 'delete'];
      for (const verb of verbs) {
        const others = verbs.filter((each) => each !== verb);
        await place.apply(place.printed.replace(`[${verbs.join(', ')}]`, `[${others.join(', ')}]`));
        const report = await examine(place.env);
        expect([verb, concerned(report), report.code]).toEqual([
          verb,
          [`rbac certificaterequests ${verb}`],
          1,
        ]);
      }
      await place.apply(place.printed);
    });

    it('names the right to use the policy', async () => {
      await place.apply(place.printed.replace('verbs: [use]', 'verbs: [get]'));
      const report = await examine({ ...place.env, KEDGE_ISSUER_TIMEOUT: '2s' });
      expect(concerned(report)).toEqual(['policy use']);
      await place.apply(place.printed);
    });

    it.each<[string, (spec: Policy['spec']) => unknown, readonly string[]]>([
      [
        'any DNS name',
        ({ allowed }) => ({ allowed: { ...allowed, dnsNames: { values: ['*'] } } }),
        ['allowed.dnsNames'],
      ],
      ['any URI', ({ allowed }) => ({ allowed: { ...allowed, uris: { values: ['*'] } } }), ['allowed.uris']],
      [
        'IP addresses',
        ({ allowed }) => ({ allowed: { ...allowed, ipAddresses: { values: ['*'] } } }),
        ['allowed.ipAddresses'],
      ],
      [
        'CAs',
        ({ allowed }) => ({
          allowed: { ...allowed, isCA: true, usages: [...allowed.usages, 'cert sign', 'crl sign'] },
        }),
        ['allowed.isCA'],
      ],
      ['a year', () => ({ constraints: {} }), ['constraints.maxDuration']],
    ])('fails where the policy lets %s pass', async (_, change, fields) => {
      const { spec } = await policy();
      const body = { apiVersion: 'policy.cert-manager.io/v1alpha1', kind: 'CertificateRequestPolicy' };
      // The approver writes its status meanwhile.
      const put = (next: object): Promise<void> =>
        eventually(async () => {
          const { metadata } = await policy();
          const call = { method: 'PUT', body: { ...body, metadata, spec: next } } as const;
          await place.cluster.expect(`${policiesPath}/doctor-identity`, call);
        });
      await put({ ...spec, ...(change(spec) as object) });
      const report = await examine(place.env);
      expect(concerned(report)).toEqual(fields.map((field) => `policy ${field}`));
      expect(report.code).toBe(1);
      await put(spec);
      await place.requests.gone();
    });

    it('fails where the account may approve its own requests', async () => {
      const rules = [{ apiGroups: ['cert-manager.io'], resources: ['signers'], verbs: ['approve'] }];
      const metadata = { name: 'doctor-approves' };
      const rbac = 'rbac.authorization.k8s.io/v1';
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'doctor-approves' };
      const subjects = [{ kind: 'ServiceAccount', namespace: 'doctor', name: account }];
      const items = [
        { apiVersion: rbac, kind: 'ClusterRole', metadata, rules },
        { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata, roleRef, subjects },
      ];
      await place.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
      const report = await examine(place.env);
      expect(concerned(report)).toEqual(['rbac signers approve']);
      await place.cluster.kubectl(['delete', 'clusterrolebinding', 'doctor-approves']);
    });
  });
}

/** Where cert-manager keeps a CA in a Secret. */
export function testDoctorOfCertificate(rig: CertManagerRig): void {
  describe('with what the doctor has printed', () => {
    const root = TestCa.create({ notAfter: decade });
    let place: Place;

    beforeAll(async () => {
      await definePolicies(rig.cluster);
      const ca = root.intermediate({ notAfter: decade, permittedDns: ['cluster.local'] });
      place = await Place.make(rig.cluster, 'doctor-ca', 'intermediate', ca);
      await place.apply(place.printed);
      await ready(rig.cluster, certManagerPath('certificates', 'doctor-ca', 'kedge-issuer'));
    });
    afterAll(() => place[Symbol.dispose]());

    it('passes', async () => {
      const report = await examine(place.env);
      expect(report.findings.filter(({ result }) => result !== 'pass')).toMatchObject([
        { check: 'cert-manager.certificate', result: 'skip' },
      ]);
      expect(report).toMatchObject({ code: 0, result: 'pass', mode: 'intermediate' });
      const outside = await examine({ ...place.env, KEDGE_KUBECONFIG: rig.cluster.kubeconfig });
      expect(outside.findings.filter(({ result }) => result !== 'pass')).toEqual([]);
    });

    it('names each verb that is taken away', async () => {
      for (const [verb, left] of [
        ['list', 'watch'],
        ['watch', 'list'],
      ]) {
        await place.apply(place.printed.replace('[list, watch]', `[${left ?? ''}]`));
        const report = await examine(place.env);
        expect([verb, concerned(report)]).toEqual([verb, [`rbac secrets ${verb ?? ''}`]]);
      }
      await place.apply(place.printed);
    });

    it('warns where nothing holds the CA to its names, and says so where it leads to no anchor', async () => {
      const namespace = 'doctor-ca';
      await caIssuer(rig.cluster, { namespace, name: 'wide', ca: root.intermediate({ notAfter: decade }) });
      const issuerRef = { name: 'wide', kind: 'Issuer', group: 'cert-manager.io' };
      const spec = {
        ...{ secretName: 'wide-ca', isCA: true, commonName: 'wide', duration: '720h', renewBefore: '240h' },
        ...{ privateKey: { algorithm: 'ECDSA', size: 256 }, usages: ['cert sign', 'crl sign'], issuerRef },
      };
      await applyObject(rig.cluster, 'Certificate', { namespace, name: 'wide', spec });
      await ready(rig.cluster, certManagerPath('certificates', namespace, 'wide'));
      const admin = {
        ...place.env,
        KEDGE_KUBECONFIG: rig.cluster.kubeconfig,
        KEDGE_CERT_MANAGER_SECRET: 'wide-ca',
      };
      const wide = await examine(admin);
      expect(wide.findings.find(({ check }) => check === 'ca.names')).toMatchObject({
        result: 'warn',
        concerns: 'ca nameConstraints',
      });
      place.directory.write({ 'others.pem': TestCa.create().anchor.pem });
      const other = await examine({
        ...place.env,
        KEDGE_TRUST_ANCHORS_FILE: place.directory.file('others.pem'),
      });
      expect(other.findings.find(({ check }) => check === 'ca.sign')).toMatchObject({
        result: 'fail',
        concerns: 'ca',
      });
      const gone = await examine({ ...admin, KEDGE_CERT_MANAGER_SECRET: 'none' });
      expect(gone.findings.find(({ check }) => check === 'cert-manager.secret')).toMatchObject({
        result: 'fail',
      });
    });
  });
}
