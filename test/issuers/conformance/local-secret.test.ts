import { onKubernetes } from '../../cluster/on-kubernetes.ts';
import { localSecret } from './columns/local-secret.ts';
import { conformance } from './conformance.ts';

onKubernetes('a Secret of a real API server:', (cluster) => conformance(localSecret(cluster)));
