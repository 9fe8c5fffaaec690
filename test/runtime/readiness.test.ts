import { Readiness } from '../../src/runtime/readiness.ts';

describe('readiness', () => {
  it('holds without gates', () => {
    const readiness = new Readiness();
    expect([readiness.ready, readiness.report()]).toEqual([true, 'ready\n']);
  });

  it('waits for every gate and names those still closed', () => {
    const readiness = new Readiness();
    const [issuer, keys] = [readiness.gate('issuer'), readiness.gate('keys')];
    keys.close('no key set yet');
    expect([readiness.ready, readiness.report()]).toEqual([
      false,
      'not ready\nwaiting: issuer: not yet\nwaiting: keys: no key set yet\n',
    ]);
    issuer.open();
    keys.open();
    expect([readiness.ready, readiness.report()]).toEqual([true, 'ready\n']);
  });

  it('is lost when a gate closes again', () => {
    const readiness = new Readiness();
    const gate = readiness.gate('listener');
    gate.open();
    gate.close('gone');
    expect(readiness.ready).toBe(false);
  });

  it('tells what is degraded and stays ready', () => {
    const readiness = new Readiness();
    readiness.degraded('issuer', 'expires in 3 days');
    expect([readiness.ready, readiness.report()]).toEqual([
      true,
      'ready\ndegraded: issuer: expires in 3 days\n',
    ]);
    readiness.degraded('issuer', undefined);
    expect(readiness.report()).toBe('ready\n');
  });

  it('tells each reason on one line, whatever is in it', () => {
    const readiness = new Readiness();
    readiness.degraded('file', 'line 1\nready\r\n\u001b[2J');
    expect(readiness.report()).toBe('ready\ndegraded: file: line 1 ready [2J\n');
  });

  it('refuses two gates of one name', () => {
    const readiness = new Readiness();
    readiness.gate('a');
    expect(() => readiness.gate('a')).toThrow('expected gate names to differ, got a twice');
  });
});
