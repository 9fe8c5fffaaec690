import { mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, errorMessage } from '../../src/runtime/errors.ts';
import { watchFiles, type WatchFilesOptions } from '../../src/runtime/watch-files.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const intervalMs = 10_000;

/** A watch that notes what it is told: contents as texts by file name, errors as their codes. */
const startWatch = async (options: Pick<WatchFilesOptions, 'paths' | 'optionalPaths'>) => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const told: unknown[] = [];
  const messages: string[] = [];
  await watchFiles({
    ...options,
    clock,
    intervalMs,
    signal: stop.signal,
    onContent: (contents) => told.push([...contents.values()].map(String).join(' + ')),
    onError: (error) => {
      told.push(errorCode(error));
      messages.push(errorMessage(error));
    },
  });
  return {
    clock,
    told,
    messages,
    /** Waits for an event to lead to this. */
    tells: (...expected: unknown[]) =>
      eventually(() => {
        expect(told).toEqual(expected);
      }),
    /** Lets the timer come round until it has led to this. */
    tellsInTime: (...expected: unknown[]) =>
      eventually(async () => {
        await clock.advance(intervalMs);
        expect(told).toEqual(expected);
      }),
    [Symbol.dispose]: () => stop.abort(),
    stop: () => stop.abort(),
  };
};

/** What the kubelet does to a mounted volume: a new directory of files, then one rename of the link `..data`. */
const swap = async (volume: TemporaryDirectory, version: string, names: readonly string[]): Promise<void> => {
  await mkdir(volume.file(version));
  for (const name of names) await writeFile(volume.file(version, name), `${name} ${version}`);
  await symlink(version, volume.file('..data_tmp'));
  await rename(volume.file('..data_tmp'), volume.file('..data'));
};

const kubeletVolume = async (version: string, names: readonly string[]): Promise<TemporaryDirectory> => {
  const volume = new TemporaryDirectory();
  await swap(volume, version, names);
  for (const name of names) await symlink(`..data/${name}`, volume.file(name));
  return volume;
};

describe('a watched file', () => {
  it('is told as it is, before the start of the watch is over', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('f'), 'one');
    using watch = await startWatch({ paths: [directory.file('f')] });
    expect(watch.told).toEqual(['one']);
  });

  it('is told again when it is written in place', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('f'), '1');
    using watch = await startWatch({ paths: [directory.file('f')] });
    const file = await open(directory.file('f'), 'r+');
    await file.write('2', 0);
    await file.close();
    await watch.tells('1', '2');
  });

  it('is told again when another is renamed over it', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('f'), 'one');
    using watch = await startWatch({ paths: [directory.file('f')] });
    await writeFile(directory.file('new'), 'two');
    await rename(directory.file('new'), directory.file('f'));
    await watch.tells('one', 'two');
  });

  it('is not told again while its content stays the same', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('f'), 'one');
    using watch = await startWatch({ paths: [directory.file('f')] });
    await writeFile(directory.file('new'), 'one');
    await rename(directory.file('new'), directory.file('f'));
    await writeFile(directory.file('other'), 'x');
    await watch.clock.advance(10 * intervalMs);
    await writeFile(directory.file('f2'), 'two');
    await rename(directory.file('f2'), directory.file('f'));
    await watch.tells('one', 'two');
  });

  it('is told as missing when it goes, and told again when it comes back the same', async () => {
    using directory = new TemporaryDirectory();
    const path = directory.file('f');
    await writeFile(path, 'one');
    using watch = await startWatch({ paths: [path] });
    await rm(path);
    await watch.tells('one', 'file_missing');
    expect(watch.messages).toEqual([`expected a file at ${path}, found none`]);
    await writeFile(directory.file('new'), 'one');
    await rename(directory.file('new'), path);
    await watch.tells('one', 'file_missing', 'one');
  });

  it('is followed though its directory comes later', async () => {
    using directory = new TemporaryDirectory();
    const path = directory.file('later', 'f');
    using watch = await startWatch({ paths: [path] });
    expect(watch.told).toEqual(['file_missing']);
    await mkdir(dirname(path));
    await writeFile(path, 'one');
    await watch.tellsInTime('file_missing', 'one');
    await writeFile(directory.file('later', 'new'), 'two');
    await rename(directory.file('later', 'new'), path);
    await watch.tells('file_missing', 'one', 'two');
  });

  it('is followed though its directory is removed and made anew', async () => {
    using directory = new TemporaryDirectory();
    const path = directory.file('d', 'f');
    await mkdir(dirname(path));
    await writeFile(path, 'one');
    using watch = await startWatch({ paths: [path] });
    await rm(dirname(path), { recursive: true });
    await watch.tells('one', 'file_missing');
    await mkdir(dirname(path));
    await writeFile(path, 'two');
    await watch.tellsInTime('one', 'file_missing', 'two');
    await writeFile(directory.file('d', 'new'), 'three');
    await rename(directory.file('d', 'new'), path);
    await watch.tells('one', 'file_missing', 'two', 'three');
  });

  it('is read by the timer where no event tells of its change', async () => {
    using directory = new TemporaryDirectory();
    await mkdir(directory.file('elsewhere'));
    await writeFile(directory.file('elsewhere', 'f'), 'one');
    await mkdir(directory.file('here'));
    await symlink('../elsewhere/f', directory.file('here', 'f'));
    using watch = await startWatch({ paths: [directory.file('here', 'f')] });
    await writeFile(directory.file('elsewhere', 'new'), 'two');
    await rename(directory.file('elsewhere', 'new'), directory.file('elsewhere', 'f'));
    await watch.clock.advance(intervalMs - 1);
    expect(watch.told).toEqual(['one']);
    await watch.tellsInTime('one', 'two');
  });

  it('is told of no more after the end, and no timer is left', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('f'), 'one');
    const watch = await startWatch({ paths: [directory.file('f')] });
    watch.stop();
    await writeFile(directory.file('f'), 'two');
    await watch.clock.advance(10 * intervalMs);
    expect(watch.told).toEqual(['one']);
    expect(watch.clock.pending).toBe(0);
  });

  it('is not read at all when the watch has ended before it began', async () => {
    const told: unknown[] = [];
    await watchFiles({
      paths: ['/does/not/exist'],
      clock: new ManualClock(),
      intervalMs,
      signal: AbortSignal.abort(),
      onContent: (contents) => told.push(contents),
      onError: (error) => told.push(error),
    });
    expect(told).toEqual([]);
  });
});

describe('a file that cannot be read', () => {
  it('is told once for each way in which it cannot', async () => {
    using directory = new TemporaryDirectory();
    await mkdir(directory.file('f'));
    using watch = await startWatch({ paths: [directory.file('f')] });
    await watch.clock.advance(5 * intervalMs);
    expect(watch.told).toEqual(['file_not_regular']);
    await rm(directory.file('f'), { recursive: true });
    await watch.tellsInTime('file_not_regular', 'file_missing');
    await symlink('f', directory.file('f'));
    await watch.tellsInTime('file_not_regular', 'file_missing', 'file_unreadable');
    expect(watch.messages.at(-1)).toContain(`expected to be able to read ${directory.file('f')}: ELOOP`);
  });

  it('is refused unread when it is far too large', async () => {
    using directory = new TemporaryDirectory();
    const file = await open(directory.file('f'), 'w');
    await file.truncate(2 ** 40);
    await file.close();
    using watch = await startWatch({ paths: [directory.file('f')] });
    expect(watch.told).toEqual(['file_too_large']);
  });
});

describe('files that belong together', () => {
  it('are told together, those that may be missing only where they are there', async () => {
    using directory = new TemporaryDirectory();
    await writeFile(directory.file('a'), 'A');
    using watch = await startWatch({ paths: [directory.file('a')], optionalPaths: [directory.file('b')] });
    expect(watch.told).toEqual(['A']);
    await writeFile(directory.file('new'), 'B');
    await rename(directory.file('new'), directory.file('b'));
    await watch.tells('A', 'A + B');
    await rm(directory.file('b'));
    await watch.tells('A', 'A + B', 'A');
  });

  it('are followed through the swap of the kubelet’s link', async () => {
    using volume = await kubeletVolume('v1', ['crt', 'key']);
    using watch = await startWatch({ paths: [volume.file('crt'), volume.file('key')] });
    await swap(volume, 'v2', ['crt', 'key']);
    await rm(volume.file('v1'), { recursive: true });
    await watch.tells('crt v1 + key v1', 'crt v2 + key v2');
  });

  it('are never mixed from two versions, however quickly they are swapped', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `f${i}`);
    using volume = await kubeletVolume('v0', names);
    using watch = await startWatch({ paths: names.map((name) => volume.file(name)) });
    const swaps = 60;
    for (let i = 1; i <= swaps; i++) {
      await swap(volume, `v${i}`, names);
      await rm(volume.file(`v${i - 1}`), { recursive: true });
      if (i % 3 === 0) await pause(1);
    }
    const whole = (version: number): string => names.map((name) => `${name} v${version}`).join(' + ');
    await eventually(() => {
      expect(watch.told.at(-1)).toBe(whole(swaps));
    });
    const versions = Array.from({ length: swaps + 1 }, (_, i) => whole(i));
    // Swapped far more often than any volume, they may for moments not rest for long enough to be read.
    expect(
      watch.told.filter((told) => told !== 'files_changing' && !versions.includes(String(told))),
    ).toEqual([]);
  });
});
