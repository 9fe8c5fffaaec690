import { Gate } from './gate.ts';

describe('Gate', () => {
  const shut = (): Gate => {
    const gate = new Gate();
    gate.change(false, 1_000);
    return gate;
  };
  const attempt = (gate: Gate, admitted: boolean, startedMs = 2_000): string | undefined =>
    gate.judge({ startedMs, admitted, nowMs: startedMs + 10 });

  it('lets a change take its time to be in force, but not for ever', () => {
    const gate = shut();
    expect(attempt(gate, true)).toBeUndefined();
    expect(attempt(gate, true, 15_000)).toBeUndefined();
    expect(attempt(gate, true, 22_000)).toBe(
      'expected the client to be refused, it was not, 21 s after policy changed',
    );
  });

  it('finds an admission once the refusal has been in force', () => {
    const gate = shut();
    for (let time = 0; time < 3; time += 1) expect(attempt(gate, false)).toBeUndefined();
    expect(gate.settled).toBe(true);
    expect(attempt(gate, true)).toBe('expected the client to be refused, it was not');
  });

  it('finds a refusal once the admission has been in force', () => {
    const gate = shut();
    gate.change(true, 5_000);
    for (let time = 0; time < 3; time += 1) expect(attempt(gate, true, 6_000)).toBeUndefined();
    expect(attempt(gate, false, 6_000)).toBe('expected the client to be let in, it was not');
  });

  it('counts no attempt that policy changed under', () => {
    const gate = shut();
    expect(attempt(gate, false, 900)).toBeUndefined();
    expect(attempt(gate, true, 900)).toBeUndefined();
    expect(gate.settled).toBe(false);
  });

  it('is not settled by answers that go to and fro', () => {
    const gate = shut();
    for (const admitted of [false, false, true, false, false]) attempt(gate, admitted);
    expect(gate.settled).toBe(false);
  });
});
