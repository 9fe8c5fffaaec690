import type { ControlPlane } from '../control-plane.ts';

/** Starts what gives pods their node. */
export function startScheduler(plane: ControlPlane): void {
  plane.start({
    name: 'kube-scheduler',
    words: [
      plane.program('kube-scheduler'),
      `--kubeconfig=${plane.kubeconfig('scheduler')}`,
      '--leader-elect=false',
    ],
  });
}
