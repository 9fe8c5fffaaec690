import type { Latest } from '../runtime/latest.ts';
import { quoted } from '../runtime/quoted.ts';
import { rpcErrors } from './errors.ts';
import {
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthDefinition,
} from './gen/grpc/health/v1/health.ts';
import { method } from './method.ts';
import { serverStreamMethod, unaryMethod } from './service.ts';
import type { Service } from './service.ts';

const check = method(HealthDefinition, HealthDefinition.methods.check);
const watch = method(HealthDefinition, HealthDefinition.methods.watch);

/** `grpc.health.v1.Health` for a server and the named services on it, which serve or stop together. */
export function healthService(names: readonly string[], serving: Latest<boolean>): Service {
  const known = new Set(['', ...names]);
  const statusOf = (up: boolean): ServingStatus => (up ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  return {
    name: HealthDefinition.fullName,
    methods: [
      unaryMethod(check, async ({ service }) => {
        if (known.has(service)) return Promise.resolve({ status: statusOf(serving.value) });
        throw rpcErrors.error(
          'rpc_not_found',
          `expected one of this server's services, got ${quoted(service)}`,
        );
      }),
      serverStreamMethod(watch, async ({ service }, _call, out) => {
        for await (const up of serving.changes(out.signal)) {
          out.write({ status: known.has(service) ? statusOf(up) : ServingStatus.SERVICE_UNKNOWN });
        }
      }),
    ],
  };
}
