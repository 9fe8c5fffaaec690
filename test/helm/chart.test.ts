import { chart, runHelm } from '../cluster/helm.ts';
import { onHelm, podsOf, render, renderText } from './rendered-chart.ts';

onHelm('the chart', () => {
  it('passes the strict lint of helm', async () => {
    const lint = ['lint', '--strict', '--set=crds.install=always', chart];
    expect(await runHelm(lint)).toContain('0 chart(s) failed');
  });

  it('is the same bytes each time it is rendered', async () => {
    expect(await renderText()).toBe(await renderText());
  });

  it('holds no key and no certificate: the Secrets and the trust bundle are empty', async () => {
    expect(await renderText()).not.toMatch(/BEGIN |PRIVATE KEY/);
    const kept = (await render()).filter(({ kind }) => ['Secret', 'ConfigMap'].includes(kind));
    expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Secret kedge-issuer',
      'Secret kedge-trust-anchor',
      'ConfigMap kedge-trust-bundle',
    ]);
    for (const object of kept) {
      expect(object.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
      expect(Object.keys(object)).not.toContain('data');
      expect(Object.keys(object)).not.toContain('stringData');
    }
  });

  it('leaves the Secrets and the trust bundle to others where it is told not to make a CA', async () => {
    const objects = await render({ local: { bootstrap: false } });
    expect(objects.filter(({ kind }) => ['Secret', 'ConfigMap'].includes(kind))).toEqual([]);
  });

  it('makes the Certificate of the CA that cert-manager is to keep, and no Secret', async () => {
    const objects = await render({ issuer: 'cert-manager', trustDomain: `${'long.'.repeat(14)}example.org` });
    const [certificate] = objects.filter(({ kind }) => kind === 'Certificate');
    expect(certificate).toMatchObject({
      apiVersion: 'cert-manager.io/v1',
      metadata: { name: 'kedge-issuer', namespace: 'kedge' },
      spec: {
        secretName: 'kedge-issuer',
        isCA: true,
        commonName: expect.stringMatching(/^identity\.kedge\.[a-z.]{1,49}[a-z]$/) as string,
        privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
        issuerRef: { name: 'kedge', kind: 'Issuer', group: 'cert-manager.io' },
      },
    });
    expect(objects.filter(({ kind }) => ['Secret', 'ConfigMap'].includes(kind))).toEqual([]);
  });

  it.each([
    { issuer: 'cert-manager', certManager: { mode: 'direct' } },
    { issuer: 'cert-manager', certManager: { certificate: { create: false } } },
    { issuer: 'vault' },
  ])('makes no Certificate with %j', async (values) => {
    const objects = await render(values);
    expect(objects.filter(({ kind }) => kind === 'Certificate' || kind === 'Secret')).toEqual([]);
  });

  it('gives identity a token that is for Vault alone, and the CA that Vault is known by', async () => {
    const objects = await render({ issuer: 'vault' });
    const pod = podsOf(objects).get('kedge-identity');
    expect(pod?.volumes).toEqual([
      {
        name: 'vault',
        projected: {
          defaultMode: 0o444,
          sources: [
            { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
            {
              configMap: { name: 'vault-ca', optional: true, items: [{ key: 'ca.crt', path: 'ca/ca.crt' }] },
            },
          ],
        },
      },
    ]);
    expect(pod?.containers[0].volumeMounts).toEqual([
      { name: 'vault', mountPath: '/var/run/secrets/vault', readOnly: true },
    ]);
    expect(JSON.stringify(podsOf(objects).get('kedge-destination'))).not.toContain('vault');
  });

  it('mounts the Secret that identity logs in to Vault with', async () => {
    const objects = await render({
      issuer: 'vault',
      vault: { auth: { method: 'approle', secret: 'vault-login' }, caConfigMap: '' },
    });
    const volumes = podsOf(objects).get('kedge-identity')?.volumes;
    expect(volumes).toMatchObject([{ projected: { sources: [{ secret: { name: 'vault-login' } }] } }]);
  });

  it('makes what a fallback needs: the Certificate of cert-manager, and the log-in to Vault', async () => {
    const [certificate] = (await render({ issuer: 'vault', fallbacks: ['cert-manager'] })).filter(
      ({ kind }) => kind === 'Certificate',
    );
    expect(certificate).toMatchObject({ metadata: { name: 'kedge-issuer' }, spec: { isCA: true } });
    const values = { issuer: 'cert-manager', certManager: { mode: 'direct' }, fallbacks: ['vault'] };
    const volumes = podsOf(await render(values)).get('kedge-identity')?.volumes;
    expect(JSON.stringify(volumes)).toContain('{"path":"token","audience":"vault"');
  });

  it('needs no volume for a token that Vault Agent keeps in the pod', async () => {
    const podAnnotations = { 'vault.hashicorp.com/agent-inject': 'true' };
    const values = {
      issuer: 'vault',
      vault: { auth: { method: 'token-file' }, caConfigMap: '' },
      identity: { podAnnotations },
    };
    const pod = podsOf(await render(values)).get('kedge-identity');
    expect(pod?.volumes).toBeUndefined();
    expect(await renderText(values)).toContain('vault.hashicorp.com/agent-inject: "true"');
  });

  it('puts the trust anchors that it is given into the trust bundle', async () => {
    const anchors = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const objects = await render({ issuer: 'vault', trust: { anchors } });
    const [bundle] = objects.filter(({ kind }) => kind === 'ConfigMap');
    expect(bundle).toMatchObject({
      metadata: { name: 'kedge-trust-bundle', annotations: { 'helm.sh/resource-policy': 'keep' } },
      data: { 'ca-bundle.crt': anchors },
    });
  });

  it.each(['absent', 'never'])(
    'has no definitions where there is no cluster to ask, with %s',
    async (install) => {
      const objects = await render({ crds: { install } });
      expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).toEqual([]);
    },
  );

  it('has every definition for whoever always wants them', async () => {
    const objects = await render({ crds: { install: 'always' } });
    const definitions = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(definitions.map(({ metadata }) => metadata.name)).toEqual([
      'authorizationpolicies.policy.linkerd.io',
      'externalworkloads.workload.linkerd.io',
      'httproutes.policy.linkerd.io',
      'meshtlsauthentications.policy.linkerd.io',
      'networkauthentications.policy.linkerd.io',
      'serverauthorizations.policy.linkerd.io',
      'servers.policy.linkerd.io',
    ]);
    for (const { metadata } of definitions) {
      expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    }
  });

  it.each([
    ['', 'keep a copy in a safe place', 'doctor issuer'],
    ['local.bootstrap=false', 'It waits for the ConfigMap kedge-trust-bundle', 'are made on the first start'],
    [
      'issuer=vault',
      'once Vault at https://vault.vault.svc:8200 signs for it',
      'are made on the first start',
    ],
    ['issuer=cert-manager', 'It waits for the ConfigMap kedge-trust-bundle', 'are made on the first start'],
    ['issuer=cert-manager,trust.configMap=a/b', 'once the Issuer kedge of cert-manager', 'It waits for'],
  ])('tells of the issuer that it was given, with %j', async (set, said, unsaid) => {
    const notes = await runHelm(['install', 'kedge', chart, '--dry-run=client', `--set=${set}`]);
    expect(notes).toContain(said);
    expect(notes).not.toContain(unsaid);
  });

  it('makes nothing else than what is known here', async () => {
    const objects = await render();
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted()).toEqual([
      'ClusterRole kedge-destination-kedge',
      'ClusterRole kedge-identity-kedge',
      'ClusterRoleBinding kedge-destination-kedge',
      'ClusterRoleBinding kedge-identity-kedge',
      'ConfigMap kedge-trust-bundle',
      'Deployment kedge-destination',
      'Deployment kedge-identity',
      'Role kedge-identity',
      'RoleBinding kedge-identity',
      'Secret kedge-issuer',
      'Secret kedge-trust-anchor',
      'Service kedge-destination',
      'Service kedge-identity',
      'Service kedge-policy',
      'ServiceAccount kedge-destination',
      'ServiceAccount kedge-identity',
    ]);
  });

  it.each(['1234', 'true'])('puts everything into a namespace whose name is %s', async (namespace) => {
    const objects = await render({}, namespace);
    const own = objects.filter(({ kind }) => !kind.startsWith('ClusterRole'));
    expect(new Set(own.map(({ metadata }) => metadata.namespace))).toEqual(new Set([namespace]));
    const subjects = objects.flatMap(({ subjects }) => (subjects ?? []) as { readonly namespace: string }[]);
    expect(new Set(subjects.map((subject) => subject.namespace))).toEqual(new Set([namespace]));
  });

  it('names only ServiceAccounts, roles and ports that are there', async () => {
    const objects = await render();
    const there = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    const pods = podsOf(objects);
    for (const { serviceAccountName, containers } of pods.values()) {
      expect(there).toContain(`ServiceAccount ${serviceAccountName}`);
      const [{ ports, livenessProbe, readinessProbe }] = containers;
      const named = ports.map(({ name }) => name);
      expect(named).toEqual(
        expect.arrayContaining([livenessProbe.httpGet.port, readinessProbe.httpGet.port]),
      );
    }
    for (const { roleRef, subjects } of objects.filter(({ kind }) => kind.endsWith('Binding'))) {
      const { kind, name } = roleRef as { readonly kind: string; readonly name: string };
      expect(there).toContain(`${kind} ${name}`);
      const [subject] = subjects as readonly { readonly kind: string; readonly name: string }[];
      expect(there).toContain(`${subject?.kind ?? ''} ${subject?.name ?? ''}`);
    }
    for (const { spec } of objects.filter(({ kind }) => kind === 'Service')) {
      const { selector, ports } = spec as {
        readonly selector: Readonly<Record<string, string>>;
        readonly ports: readonly { readonly port: number }[];
      };
      const pod = pods.get(`kedge-${selector['app.kubernetes.io/component'] ?? ''}`);
      const listening = pod?.containers[0].ports.map(({ containerPort }) => containerPort);
      expect(listening).toEqual(expect.arrayContaining(ports.map(({ port }) => port)));
    }
  });

  it('starts pods that Kubernetes lets into a namespace of the level "restricted"', async () => {
    for (const pod of podsOf(await render()).values()) {
      expect(pod).toMatchObject({
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      });
    }
  });
});
