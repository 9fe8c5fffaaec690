import { Lookup } from '../../../src/proxy/outbound/lookup.ts';
import { destinationClient } from '../../../src/rpc/destination-api.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { errorMessage } from '../../../src/runtime/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { startServer } from '../../support/rpc-server.ts';
import type { SocketAddress } from '../../../src/runtime/socket-address.ts';
import { FakeDestination } from './support/fake-destination.ts';
import { add, at, meshed, noEndpoints, profileOf, profileWith, remove } from './support/messages.ts';

const name = 'api.shop.svc.cluster.local';

/** A lookup that speaks real gRPC with a destination service the test scripts. */
async function lookingUp(target: SocketAddress = { host: name, port: 7000 }) {
  const fake = new FakeDestination();
  const server = await startServer([fake.service]);
  const channel = server.connect();
  const lookup = new Lookup(target, {
    client: destinationClient(channel),
    contextToken: '{"ns":"shop"}',
    stream: {
      limits: { initialMs: undefined, idleMs: undefined, lifetimeMs: undefined },
      backoff: { minMs: 5, maxMs: 10 },
      clock: systemClock,
    },
  });
  const describe = (): string => {
    const state = lookup.state.value;
    if (state.kind === 'refused') return `refused: ${errorMessage(state.cause)}`;
    return state.kind === 'known' ? state.endpoints.map(({ key }) => key).join(' ') : state.kind;
  };
  return {
    fake,
    lookup,
    /** Waits until the state is this. */
    becomes: (expected: string) => eventually(() => expect(describe()).toBe(expected)),
    [Symbol.asyncDispose]: async () => {
      lookup.close();
      channel.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a lookup', () => {
  it('asks for the profile by host and port, with the context token as it is', async () => {
    await using looking = await lookingUp();
    const { request } = await looking.fake.profile();
    expect(request).toEqual({ scheme: '', path: `${name}:7000`, contextToken: '{"ns":"shop"}' });
    expect(looking.fake.streams.get).toEqual([]);
  });

  it('asks with an IPv6 address in brackets', async () => {
    await using looking = await lookingUp({ host: 'fd00::1', port: 80 });
    expect((await looking.fake.profile()).request.path).toBe('[fd00::1]:80');
  });

  it("follows the endpoints of the profile's name, with the target's port", async () => {
    await using looking = await lookingUp({ host: '10.96.0.1', port: 7000 });
    (await looking.fake.profile()).send(profileOf(name));
    const get = await looking.fake.get();
    expect(get.request.path).toBe(`${name}:7000`);
    get.send(add(meshed('10.0.0.1:80')));
    await looking.becomes('10.0.0.1:80');
    get.send(add(at('10.0.0.2:80')));
    await looking.becomes('10.0.0.1:80 10.0.0.2:80');
    get.send(remove('10.0.0.1:80'));
    await looking.becomes('10.0.0.2:80');
    get.send(noEndpoints(true));
    await looking.becomes('');
    get.send(noEndpoints(false));
    await looking.becomes('absent');
  });

  it('takes the endpoint that the profile itself holds', async () => {
    await using looking = await lookingUp({ host: '10.0.0.9', port: 80 });
    (await looking.fake.profile()).send(profileWith(meshed('10.0.0.9:80')));
    await looking.becomes('10.0.0.9:80');
    expect(looking.fake.streams.get).toEqual([]);
  });

  it('follows another name when the profile changes, and leaves the old one', async () => {
    await using looking = await lookingUp();
    const profile = await looking.fake.profile();
    profile.send(profileOf(name));
    const old = await looking.fake.get();
    old.send(add(at('10.0.0.1:80')));
    await looking.becomes('10.0.0.1:80');
    profile.send(profileOf('api.new.svc.cluster.local'));
    const now = await looking.fake.get(1);
    expect(now.request.path).toBe('api.new.svc.cluster.local:7000');
    await eventually(() => expect(old.left).toBe(true));
    await looking.becomes('10.0.0.1:80');
    now.send(add(at('10.0.0.2:80')));
    await looking.becomes('10.0.0.2:80');
  });

  it('does not open a second stream for a profile that names the same', async () => {
    await using looking = await lookingUp();
    const profile = await looking.fake.profile();
    profile.send(profileOf(name));
    const get = await looking.fake.get();
    profile.send(profileOf(name));
    get.send(add(at('10.0.0.1:80')));
    await looking.becomes('10.0.0.1:80');
    expect(looking.fake.streams.get).toHaveLength(1);
  });

  it('keeps what it knows while the streams are down, and replaces it when they are back', async () => {
    await using looking = await lookingUp();
    (await looking.fake.profile()).send(profileOf(name));
    (await looking.fake.get()).send(add(at('10.0.0.1:80'), at('10.0.0.2:80')));
    await looking.becomes('10.0.0.1:80 10.0.0.2:80');
    (await looking.fake.get()).fail('unavailable');
    await eventually(() => expect(looking.lookup.away.value).toMatch(/the test said unavailable/));
    const again = await looking.fake.get(1);
    await looking.becomes('10.0.0.1:80 10.0.0.2:80');
    again.send(add(at('10.0.0.3:80')));
    await looking.becomes('10.0.0.3:80');
    expect(looking.lookup.away.value).toBeUndefined();
  });

  it.each(['not_found', 'internal', 'unavailable'] as const)('asks again after %s', async (kind) => {
    await using looking = await lookingUp();
    (await looking.fake.profile()).fail(kind);
    (await looking.fake.profile(1)).send(profileWith(at('10.0.0.1:80')));
    await looking.becomes('10.0.0.1:80');
  });

  it('asks again after an end in order', async () => {
    await using looking = await lookingUp();
    (await looking.fake.profile()).end();
    await eventually(() => expect(looking.lookup.away.value).toBe('the stream was ended'));
    await looking.fake.profile(1);
    await looking.becomes('unknown');
  });

  it.each(['invalid_argument', 'failed_precondition'] as const)(
    'takes %s for the last word on a profile',
    async (kind) => {
      await using looking = await lookingUp();
      (await looking.fake.profile()).fail(kind);
      await looking.becomes(`refused: the test said ${kind}`);
    },
  );

  it('takes a refusal for the last word on the endpoints, and leaves the profile too', async () => {
    await using looking = await lookingUp();
    const profile = await looking.fake.profile();
    profile.send(profileOf(name));
    (await looking.fake.get()).fail('invalid_argument');
    await looking.becomes('refused: the test said invalid_argument');
    await eventually(() => expect(profile.left).toBe(true));
  });

  it('is refused by a profile with neither name nor endpoint, until a better one comes', async () => {
    await using looking = await lookingUp();
    const profile = await looking.fake.profile();
    profile.send(profileOf(''));
    await looking.becomes(
      `refused: expected a profile with a name or an endpoint for ${name}:7000, got neither; is this port one of the service's?`,
    );
    profile.send(profileWith(at('10.0.0.1:80')));
    await looking.becomes('10.0.0.1:80');
  });

  it('leaves its streams when closed', async () => {
    await using looking = await lookingUp();
    const profile = await looking.fake.profile();
    profile.send(profileOf(name));
    const get = await looking.fake.get();
    looking.lookup.close();
    await eventually(() => expect([profile.left, get.left]).toEqual([true, true]));
  });
});
