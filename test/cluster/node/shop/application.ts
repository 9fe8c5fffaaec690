/** An application that a pod runs: one of the programs beside this file. */
export interface ApplicationPlan {
  readonly program: string;
  readonly args?: readonly string[];
  /** Where it is asked whether it is ready, if it listens. */
  readonly port?: number;
}

const folder = '/programs';

/** Its container; Node runs the program as it is written, out of a ConfigMap. */
export const application = ({ program, args = [], port }: ApplicationPlan) => ({
  name: 'application',
  image: 'kedge:local',
  imagePullPolicy: 'Never',
  command: ['node', `${folder}/${program}`, ...args],
  volumeMounts: [{ name: 'programs', mountPath: folder, readOnly: true }],
  ...(port !== undefined && {
    ports: [{ name: 'http', containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    // Whoever still leads here learns meanwhile that the pod is about to end.
    lifecycle: { preStop: { sleep: { seconds: 5 } } },
  }),
});

/** The volume that an application's program is in. */
export const programsVolume = { name: 'programs', configMap: { name: 'programs' } };
