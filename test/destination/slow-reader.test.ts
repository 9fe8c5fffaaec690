import * as fc from 'fast-check';
import type { EndpointSet } from '../../src/destination/endpoint-set.ts';
import { EndpointSet as Sets } from '../../src/destination/endpoint-set.ts';
import { Get } from '../../src/destination/get.ts';
import { routedSet } from '../../src/destination/kube/routed-set.ts';
import { Update } from '../../src/rpc/destination-api.ts';
import { BoundedStreamWriter } from '../../src/rpc/stream-writer.ts';
import type { ByteSink } from '../../src/rpc/stream-writer.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { endpoint } from './support/endpoint.ts';
import { FoldedSet } from './support/folded-set.ts';

const place = { zone: 'eu-1a', node: 'node-a' };

/** A client that takes a message when it is told to. */
class SlowClient implements ByteSink {
  readonly folded = new FoldedSet();
  readonly #held: { readonly frame: Buffer; readonly sent: () => void }[] = [];
  most = 0;

  write(frame: Buffer, sent: () => void): void {
    this.#held.push({ frame, sent });
    this.most = Math.max(this.most, this.#held.length);
  }

  end(): void {
    this.#held.length = 0;
  }

  /** Whether there was a message to take. */
  take(): boolean {
    const next = this.#held.shift();
    if (next === undefined) return false;
    this.folded.apply([Update.decode(next.frame)]);
    next.sent();
    return true;
  }
}

/** Endpoints at few addresses, so that each comes, goes and is another again and again. */
const candidates = fc.uniqueArray(
  fc.record({
    last: fc.integer({ min: 1, max: 5 }),
    parts: fc.record({
      weight: fc.constantFrom(1, 2),
      opaque: fc.boolean(),
      identity: fc.constantFrom(
        undefined,
        { uri: 'spiffe://a', serverName: 'a' },
        { uri: 'spiffe://b', serverName: 'b' },
      ),
      zone: fc.constantFrom(undefined, 'eu-1a', 'eu-1b'),
      labels: fc.constantFrom({}, { pod: 'x' }, { pod: 'y' }),
    }),
    ready: fc.boolean(),
    node: fc.constantFrom(undefined, 'node-a', 'node-b'),
    hints: fc.constantFrom(
      undefined,
      { zones: ['eu-1a'], nodes: [] },
      { zones: ['eu-1b'], nodes: ['node-a'] },
    ),
  }),
  { selector: ({ last }) => last, maxLength: 5 },
);
const sets = fc.oneof(
  { weight: 1, arbitrary: fc.constant(Sets.missing()) },
  {
    weight: 6,
    arbitrary: fc.tuple(candidates, fc.boolean()).map(([all, local]) =>
      routedSet(
        all.map(({ last, parts, ...placed }) => ({
          endpoint: endpoint(`10.0.0.${last}:80`, parts),
          ...placed,
        })),
        local,
      ),
    ),
  },
);
/** The target becomes another set, or the client takes as many messages as it is told to. */
const happenings = fc.array(fc.oneof(sets, fc.integer({ min: 1, max: 4 })), { maxLength: 30 });

describe('a slow client of Get', () => {
  it('knows in the end just what there is for it, whatever happened while it took nothing', async () => {
    await fc.assert(
      fc.asyncProperty(sets, happenings, fc.integer({ min: 1, max: 3 }), async (first, all, inFlight) => {
        const state = new LatestValue<EndpointSet | undefined>(
          first,
          (a, b) => b !== undefined && a?.equals(b) === true,
        );
        const watched = () => ({ state, close: () => undefined });
        const get = new Get(
          { watchEndpoints: watched, watchProfile: () => watched() as never, placeOf: () => place },
          'cluster.local',
        );
        const client = new SlowClient();
        const call = new AbortController();
        const out = new BoundedStreamWriter<Update>({
          sink: client,
          signal: call.signal,
          frame: (update) => Buffer.from(Update.encode(update).finish()),
          clock: new ManualClock(),
          limits: { inFlight },
        });
        const path = 'api.shop.svc.cluster.local:80';
        const answered = get.answer({ scheme: '', path, contextToken: '' }, out);
        for (const happening of all) {
          if (typeof happening !== 'number') state.set(happening);
          else for (let taken = 0; taken < happening && client.take(); taken += 1);
        }
        while (client.take());
        expect(client.folded.state).toEqual(FoldedSet.stateOf(state.value!.seenFrom(place), place.zone));
        expect(client.most).toBeLessThanOrEqual(inFlight);
        call.abort();
        await answered;
      }),
      { numRuns: 300 },
    );
  });
});
