import { Connector } from '../../../src/proxy/outbound/connector.ts';
import { Balancer } from '../../../src/proxy/outbound/balancer.ts';
import type { Endpoint } from '../../../src/proxy/outbound/endpoint.ts';
import type { LookupState } from '../../../src/proxy/outbound/lookup.ts';
import { OwnListeners } from '../../../src/proxy/outbound/own-listeners.ts';
import { connectFailure } from '../../../src/proxy/transport/socket-failure.ts';
import { errorCode } from '../../../src/runtime/errors.ts';
import { LatestValue } from '../../../src/runtime/latest.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const endpoint = (port: number): Endpoint => ({
  key: `10.0.0.1:${port}`,
  host: '10.0.0.1',
  port,
  security: { kind: 'plain', reason: 'not_provided_by_service_discovery' },
  labels: {},
});

/** A connector to two endpoints, whose every dial fails with this errno. */
function connectorThatGets(errno: string) {
  const clock = new ManualClock();
  const endpoints = [endpoint(1), endpoint(2)];
  const balancer = new Balancer({
    clock,
    random: () => 0,
    backoff: { minMs: 100, maxMs: 1000, jitter: 0 },
  });
  balancer.update(endpoints);
  const dialled: string[] = [];
  const failed: [string, string | undefined][] = [];
  const fail = async (target: { port: number }): Promise<never> => {
    dialled.push(`10.0.0.1:${target.port}`);
    throw connectFailure(Object.assign(new Error(`connect ${errno}`), { code: errno }), 'the endpoint');
  };
  const connector = new Connector({
    resolver: {
      lease: () => ({
        state: new LatestValue<LookupState>({ kind: 'known', endpoints }),
        balancer,
        release: () => undefined,
      }),
    },
    dial: {
      engine: { dial: fail, dialMesh: fail },
      connectTimeoutMs: 1000,
      socket: {},
      ownListeners: new OwnListeners(),
    },
    credentials: new LatestValue(undefined),
    holdTimeoutMs: 1000,
    clock,
    observer: { endpointFailed: ({ key }, cause) => failed.push([key, errorCode(cause)]) },
  });
  return {
    dialled,
    failed,
    ejected: () => clock.pending,
    connect: () => connector.connect({ host: 'api', port: 80 }, new AbortController().signal),
  };
}

describe('a dial that fails', () => {
  it.each(['EMFILE', 'ENFILE'])(
    'for want of file descriptors (%s) is counted, and held against no endpoint',
    async (errno) => {
      const connector = connectorThatGets(errno);
      await expect(connector.connect()).rejects.toMatchObject({
        code: 'no_descriptors',
        message: `expected a file descriptor for a connection with the endpoint, got: connect ${errno}`,
      });
      expect(connector.dialled).toEqual(['10.0.0.1:1']);
      expect(connector.failed).toEqual([['10.0.0.1:1', 'no_descriptors']]);
      expect(connector.ejected()).toBe(0);
    },
  );

  it('for a reason of the endpoint is followed by the next, and both are left out for a while', async () => {
    const connector = connectorThatGets('ECONNREFUSED');
    await expect(connector.connect()).rejects.toMatchObject({ code: 'connect_refused' });
    expect(connector.dialled).toEqual(['10.0.0.1:1', '10.0.0.1:2']);
    expect(connector.ejected()).toBe(2);
  });
});
