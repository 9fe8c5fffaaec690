import { jest } from '@jest/globals';

import { Connections } from '../../../src/proxy/transport/connections.ts';

const boundless = { take: () => () => undefined };

describe('the open connections', () => {
  it('are drained at once where there are none', async () => {
    expect(await new Connections(boundless).drain(new AbortController().signal)).toBe(0);
  });

  it('are waited for until the last has ended, and none is stopped', async () => {
    const connections = new Connections(boundless);
    const stop = jest.fn();
    const ended = [connections.add({ stop }), connections.add({ stop })];
    const drained = connections.drain(new AbortController().signal);
    for (const end of ended) end();
    expect(await drained).toBe(0);
    expect(stop).not.toHaveBeenCalled();
    expect(connections.size).toBe(0);
  });

  it('are stopped at the deadline', async () => {
    const connections = new Connections(boundless);
    const stopped: string[] = [];
    connections.add({ stop: () => stopped.push('a') })();
    connections.add({ stop: () => stopped.push('b') });
    const deadline = new AbortController();
    const drained = connections.drain(deadline.signal);
    deadline.abort();
    expect(await drained).toBe(1);
    expect(stopped).toEqual(['b']);
  });

  it('are stopped at once where the deadline has passed', async () => {
    const connections = new Connections(boundless);
    const stopped: string[] = [];
    connections.add({ stop: () => stopped.push('a') });
    expect(await connections.drain(AbortSignal.abort())).toBe(1);
    expect(stopped).toEqual(['a']);
  });
});
