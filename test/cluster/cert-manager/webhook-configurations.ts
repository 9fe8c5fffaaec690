/** How cert-manager's own chart has the API server ask the webhook, but by a URL and with no namespace left out. */
export function webhookConfigurations(url: string, ca: string): object[] {
  const caBundle = Buffer.from(ca).toString('base64');
  const kinds = [
    ['MutatingWebhookConfiguration', 'mutate'],
    ['ValidatingWebhookConfiguration', 'validate'],
  ] as const;
  return kinds.map(([kind, path]) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'cert-manager-webhook' },
    webhooks: [
      {
        name: 'webhook.cert-manager.io',
        rules: [
          {
            apiGroups: ['cert-manager.io', 'acme.cert-manager.io'],
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['*/*'],
          },
        ],
        admissionReviewVersions: ['v1'],
        matchPolicy: 'Equivalent',
        timeoutSeconds: 10,
        failurePolicy: 'Fail',
        sideEffects: 'None',
        clientConfig: { url: `${url}/${path}`, caBundle },
      },
    ],
  }));
}
