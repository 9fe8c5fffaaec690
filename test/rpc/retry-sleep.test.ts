import type { Credentials } from '../../src/pki/credentials.ts';
import { identityClient, identityService } from '../../src/rpc/identity-api.ts';
import { retrySleep } from '../../src/rpc/retry-sleep.ts';
import { LatestValue } from '../../src/runtime/latest.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { refusalOf } from '../support/refusal.ts';
import { serverIdentity, startServer } from '../support/rpc-server.ts';
import { TestCa } from '../support/test-ca.ts';

const request = { identity: 'a', token: Buffer.from('t'), certificateSigningRequest: Buffer.from('c') };
const service = identityService({
  certify: async () => ({ leafCertificate: Buffer.from('leaf'), intermediateCertificates: [] }),
});

/** A server that can go away and come back, and a channel to it. */
async function outage() {
  const ca = TestCa.create();
  const credentials = new LatestValue<Credentials | undefined>(
    ca.leaf({ identity: serverIdentity }).credentials(),
  );
  const stack = new AsyncDisposableStack();
  const first = stack.use(await startServer([service], { ca, credentials }));
  const channel = stack.use(first.connect());
  return {
    channel,
    call: () => identityClient(channel).certify(request),
    leave: () => first.close(AbortSignal.abort()),
    comeBack: async () => {
      stack.use(await startServer([service], { ca, credentials, port: first.address.port }));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Whether a sleep is over. */
function watched(sleep: Promise<void>): { readonly ended: () => boolean } {
  let ended = false;
  const end = (): void => void (ended = true);
  sleep.then(end, end);
  return { ended: () => ended };
}

describe('the wait before a call is repeated', () => {
  it('is over as soon as a channel that could not connect has connected, and the call then succeeds', async () => {
    const clock = new ManualClock();
    await using server = await outage();
    const { channel, call } = server;
    await server.leave();
    expect(await refusalOf(call())).toMatch(/^rpc_unavailable: /);
    expect(channel.failing.value).toBe(true);
    const sleep = retrySleep(channel, clock)(10_000);
    const { ended } = watched(sleep);
    // The calls of others wait for nothing and change nothing.
    expect(await refusalOf(call())).toMatch(/^rpc_unavailable: /);
    expect(ended()).toBe(false);
    await server.comeBack();
    await sleep;
    expect([channel.failing.value, clock.pending]).toEqual([false, 0]);
    await expect(call()).resolves.toMatchObject({ leafCertificate: Buffer.from('leaf') });
  });

  it('is never longer than it was asked to be, and ends with its signal', async () => {
    const clock = new ManualClock();
    const channel = { failing: new LatestValue(true) };
    const sleep = retrySleep(channel, clock);
    const first = watched(sleep(1_000));
    await clock.advance(999);
    expect(first.ended()).toBe(false);
    await clock.advance(1);
    expect(first.ended()).toBe(true);
    const stop = new AbortController();
    const second = sleep(1_000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });

  it('is as long as it was asked to be where the channel has a connection, whatever becomes of it', async () => {
    const clock = new ManualClock();
    const channel = { failing: new LatestValue(false) };
    const { ended } = watched(retrySleep(channel, clock)(1_000));
    channel.failing.set(true);
    channel.failing.set(false);
    await clock.advance(999);
    expect(ended()).toBe(false);
    await clock.advance(1);
    expect(ended()).toBe(true);
  });

  it('ends when the channel begins afresh or is closed, for nobody connects any more', async () => {
    const clock = new ManualClock();
    await using server = await outage();
    const { channel, call } = server;
    await server.leave();
    expect(await refusalOf(call())).toMatch(/^rpc_unavailable: /);
    const sleep = retrySleep(channel, clock);
    const waiting = sleep(10_000);
    channel.close();
    await waiting;
    const { ended } = watched(sleep(10_000));
    await eventually(() => expect(clock.pending).toBe(1));
    expect(ended()).toBe(false);
    await clock.advance(10_000);
    expect(ended()).toBe(true);
  });
});
