import { integer, path, text } from '../runtime/settings.ts';

/** How a process reaches the API server; a process that does spreads these into its own table. */
export const kubeSettings = {
  kubeconfig: path({
    name: 'KEDGE_KUBECONFIG',
    help: 'A kubeconfig file, for a process outside a cluster. Without it, the ServiceAccount of the pod.',
  }),
  kubeServiceHost: text({
    name: 'KUBERNETES_SERVICE_HOST',
    help: 'Where the API server is; Kubernetes sets it in every container. Not looked at with KEDGE_KUBECONFIG.',
  }),
  kubeServicePort: integer({
    name: 'KUBERNETES_SERVICE_PORT',
    help: 'The port of the API server; Kubernetes sets it in every container. Not looked at with KEDGE_KUBECONFIG.',
    fallback: '443',
    min: 1,
    max: 65_535,
  }),
} as const;
