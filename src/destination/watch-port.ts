import { isDeepStrictEqual } from 'node:util';
import type { PortSpec, Server } from '../rpc/inbound-policy-api.ts';
import type { StreamWriter } from '../rpc/stream-writer.ts';
import { destinationErrors } from './errors.ts';
import type { PolicySource } from './policy-source.ts';
import { Subscriptions } from './subscriptions.ts';
import { tell } from './tell.ts';
import { toServer } from './translate-policy.ts';
import type { Watched } from './watched.ts';
import { derive } from './watched.ts';
import type { WorkloadName } from './workload-name.ts';
import { parseWorkloadName, workloadKey } from './workload-name.ts';

type Answer = Server | 'unknown_workload';

/**
 * `WatchPort` and `GetPort`: who may connect to a workload's port (contract 5).
 *
 * A watch for a workload that is not known is left open in silence: its proxy goes on with the default policy of its
 * own environment, as it would on NOT_FOUND, but has the answer as soon as the workload is known instead of after a
 * back-off of up to a minute. A workload that disappears keeps the policy its proxy was last told, for the same is
 * true of every other way in which a watch can fall silent. `GetPort`, which asks once, does get NOT_FOUND.
 */
export class WatchPort {
  readonly #source: PolicySource;
  readonly #onUnknown: (workload: WorkloadName) => void;
  readonly #ports = new Subscriptions<Answer>();

  /** `onUnknown` is told of each watch that is left waiting. */
  constructor(source: PolicySource, onUnknown: (workload: WorkloadName) => void) {
    this.#source = source;
    this.#onUnknown = onUnknown;
  }

  /** Lasts until the stream ends. Throws `workload_invalid`. */
  async watch(request: PortSpec, out: StreamWriter<Server>): Promise<void> {
    const workload = readRequest(request);
    await tell(this.#port(workload, request.port), out, (answer) => {
      if (answer === 'unknown_workload') this.#onUnknown(workload);
      else out.write(answer);
    });
  }

  /** The present policy. Throws `workload_invalid` or `workload_unknown`. */
  async once(request: PortSpec, signal: AbortSignal): Promise<Server> {
    const workload = readRequest(request);
    const port = this.#port(workload, request.port);
    try {
      const answer = await port.state.until((state) => state !== undefined, signal);
      if (answer !== undefined && answer !== 'unknown_workload') return answer;
    } finally {
      port.close();
    }
    throw destinationErrors.error(
      'workload_unknown',
      `expected a workload that is known, got ${workloadKey(workload)}`,
    );
  }

  get subscriptions(): number {
    return this.#ports.size;
  }

  #port(workload: WorkloadName, port: number): Watched<Answer> {
    return this.#ports.join(`${workloadKey(workload)}:${port}`, () =>
      derive(
        this.#source.watchPolicy(workload, port),
        (policy) => (policy === 'unknown_workload' ? policy : toServer(policy, workload)),
        isDeepStrictEqual,
      ),
    );
  }
}

function readRequest({ workload, port }: PortSpec): WorkloadName {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return parseWorkloadName(workload);
  throw destinationErrors.error('workload_invalid', `expected a port from 1 to 65535, got ${port}`);
}
