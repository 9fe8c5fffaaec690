import { untilAborted } from '../../src/runtime/until-aborted.ts';

const gone = new Error('the caller has gone');

describe('waiting for shared work', () => {
  it('gives what the work gives', async () => {
    await expect(untilAborted(Promise.resolve(7), new AbortController().signal)).resolves.toBe(7);
  });

  it('rejects with what the work rejects with', async () => {
    const failed = Promise.reject(new Error('no'));
    await expect(untilAborted(failed, new AbortController().signal)).rejects.toThrow('no');
  });

  it('ends when the signal is aborted, and leaves the work to the others', async () => {
    const end = new AbortController();
    const work = Promise.withResolvers<string>();
    const left = untilAborted(work.promise, end.signal);
    const stayed = untilAborted(work.promise, new AbortController().signal);
    end.abort(gone);
    await expect(left).rejects.toBe(gone);
    work.resolve('done');
    await expect(stayed).resolves.toBe('done');
  });

  it('rejects at once where the signal was aborted before, whatever becomes of the work', async () => {
    await expect(untilAborted(Promise.resolve(7), AbortSignal.abort(gone))).rejects.toBe(gone);
    const failing = Promise.reject(new Error('heeded'));
    await expect(untilAborted(failing, AbortSignal.abort(gone))).rejects.toBe(gone);
  });
});
