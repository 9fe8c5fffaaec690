import { EndpointSet } from '../../../src/proxy/outbound/endpoint-set.ts';
import type { Update } from '../../../src/rpc/destination-api.ts';
import { add, at, meshed, noEndpoints, remove } from './support/messages.ts';

const reopen = Symbol('the stream is opened again');

/** The state after the steps: its kind, or the addresses it knows. */
function after(...steps: (Update | typeof reopen)[]): string | string[] {
  const set = new EndpointSet();
  for (const step of steps) {
    if (step === reopen) set.reopened();
    else set.apply(step);
  }
  return set.state.kind === 'known' ? set.state.endpoints.map(({ key }) => key).toSorted() : set.state.kind;
}

const a = '10.0.0.1:80';
const b = '10.0.0.2:80';
const c = '10.0.0.3:80';

describe('the endpoints of a name', () => {
  it.each<[string, (Update | typeof reopen)[], string | string[]]>([
    ['are unknown before the first word', [], 'unknown'],
    ['are those of the first add', [add(at(a), at(b))], [a, b]],
    ['grow with a second add', [add(at(a)), add(at(b))], [a, b]],
    ['shrink with a remove', [add(at(a), at(b)), remove(a)], [b]],
    ['are none, not unknown, once all are removed', [add(at(a)), remove(a)], []],
    ['do not mind the removal of a stranger', [add(at(a)), remove(b)], [a]],
    ['are unknown still after a remove before any add', [remove(a)], 'unknown'],
    ['are unknown still after an add without addresses', [add()], 'unknown'],
    ['are unknown still after an add without usable addresses', [add(at('10.0.0.1:0'))], 'unknown'],
    ['are unknown still after an update of a kind nobody knows', [{}], 'unknown'],
    ['stay while the stream is down', [add(at(a)), reopen], [a]],
    ['are replaced by the first add of a new stream', [add(at(a), at(b)), reopen, add(at(c))], [c]],
    ['grow again after that', [add(at(a)), reopen, add(at(b)), add(at(c))], [b, c]],
    ['do not mind a remove before the first add of a new stream', [add(at(a)), reopen, remove(a)], [a]],
    ['are not replaced by an unusable add of a new stream', [add(at(a)), reopen, add()], [a]],
    [
      'are not replaced by it, but by the usable one that follows',
      [add(at(a)), reopen, add(), add(at(b))],
      [b],
    ],
    ['are none when the service says so', [add(at(a)), noEndpoints(true)], []],
    ['are none from the start when the service says so', [noEndpoints(true)], []],
    ['are absent when the service says the name does not exist', [add(at(a)), noEndpoints(false)], 'absent'],
    ['come back after an absence', [noEndpoints(false), add(at(a))], [a]],
    [
      'are replaced when a new stream begins with none',
      [add(at(a)), reopen, noEndpoints(true), add(at(b))],
      [b],
    ],
  ])('%s', (_, steps, expected) => {
    expect(after(...steps)).toEqual(expected);
  });

  it('take new metadata with an add of a known address', () => {
    const set = new EndpointSet();
    set.apply(add(at(a)));
    set.apply(add(meshed(a)));
    expect(set.state).toMatchObject({ endpoints: [{ key: a, security: { kind: 'mesh' } }] });
  });

  it('hold an endpoint whose identity is unusable, so that it is refused and not dialled in plaintext', () => {
    const set = new EndpointSet();
    set.apply(add(at(a, { tlsIdentity: {} })));
    expect(set.state).toMatchObject({ endpoints: [{ key: a, security: { kind: 'refused' } }] });
  });

  it('tell whether an update said anything', () => {
    const set = new EndpointSet();
    expect(
      [remove(a), add(), add(at(a)), remove(), remove(a), noEndpoints(true)].map((update) =>
        set.apply(update),
      ),
    ).toEqual([false, false, true, false, true, true]);
  });
});
