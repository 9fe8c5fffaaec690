import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DestinationMetrics } from '../../../src/destination/destination-metrics.ts';
import { loadFile } from '../../../src/destination/file/load-file.ts';
import { catalogueReader } from '../../../src/destination/file/read-catalogue.ts';
import { tellFileState } from '../../../src/destination/file-readiness.ts';
import { Metrics } from '../../../src/runtime/metrics.ts';
import { Readiness } from '../../../src/runtime/readiness.ts';
import { eventually } from '../../support/eventually.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { mesh } from '../support/mesh.ts';
import { Reader } from '../support/reader.ts';
import { startStand } from '../support/stand.ts';

const withEndpoint = (address: string) =>
  `services: {shop/api: {ports: {80: {endpoints: [{address: ${address}}]}}}}`;

/** A destination file on disk and the process's view of it. */
async function startFile(content?: string) {
  const directory = await mkdtemp(path.join(tmpdir(), 'kedge-destination-'));
  const file = path.join(directory, 'destination.yaml');
  const write = async (text: string) => {
    await writeFile(`${file}.next`, text);
    await rename(`${file}.next`, file);
  };
  if (content !== undefined) await write(content);
  const stop = new AbortController();
  const [log, metrics, readiness] = [new LogCapture(), new Metrics(), new Readiness()];
  const loaded = await loadFile({
    path: file,
    read: catalogueReader(mesh),
    clock: new ManualClock(new Date('2026-03-04T05:06:07Z')),
    log,
    metrics: new DestinationMetrics(metrics),
    signal: stop.signal,
  });
  tellFileState(loaded, readiness);
  return {
    ...loaded,
    file,
    log,
    readiness,
    write,
    metricsText: () => metrics.text(),
    remove: () => rm(file),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await rm(directory, { recursive: true });
    },
  };
}

describe('the destination file on disk', () => {
  it('is loaded at the start, and told in log, metrics and readiness', async () => {
    await using disk = await startFile(withEndpoint('10.0.0.1'));
    expect(disk.readiness.report()).toBe('ready\n');
    expect(disk.log.withMessage('destination file loaded')).toMatchObject([
      { fields: { path: disk.file, services: 1, workloads: 0 } },
    ]);
    const text = await disk.metricsText();
    expect(text).toContain('kedge_destination_file_loads_total{result="loaded"} 1');
    expect(text).toContain('kedge_destination_file_loaded_timestamp_seconds 1772600767');
  });

  it('keeps the process from being ready until it is there and good', async () => {
    await using disk = await startFile();
    expect(disk.readiness.ready).toBe(false);
    expect(disk.readiness.report()).toMatch(/^waiting: destination-file: .*destination\.yaml/m);
    await disk.write('services: []');
    await eventually(() => {
      expect(disk.readiness.report()).toMatch(
        /^waiting: destination-file: .*line 1, column 11: services: expected a mapping/m,
      );
    });
    await disk.write(withEndpoint('10.0.0.1'));
    await eventually(() => expect(disk.readiness.report()).toBe('ready\n'));
  });

  it('keeps its last good content while it is bad or gone, and says where it is bad', async () => {
    await using disk = await startFile(withEndpoint('10.0.0.1'));
    const good = disk.catalogue.value;
    await disk.write('services:\n  shop/api: {ports: {80: {opaque: 7}}}');
    await eventually(() =>
      expect(disk.readiness.report()).toBe(
        `ready\ndegraded: destination-file: ${disk.file}: line 2, column 35: services.shop/api.ports.80.opaque: expected true or false, got 7\n`,
      ),
    );
    expect(disk.catalogue.value).toBe(good);
    await disk.remove();
    await eventually(() => expect(disk.problem.value).toContain('found none'));
    expect(disk.catalogue.value).toBe(good);
    expect(disk.log.withMessage('destination file refused, last good content stays in use')).toHaveLength(2);
    expect(await disk.metricsText()).toContain('kedge_destination_file_loads_total{result="refused"} 2');
    await disk.write(withEndpoint('10.0.0.2'));
    await eventually(() => expect(disk.readiness.report()).toBe('ready\n'));
    expect(disk.catalogue.value).not.toBe(good);
  });

  it('reaches open streams when it changes, and not while it is bad', async () => {
    await using disk = await startFile(withEndpoint('10.0.0.1'));
    await using stand = await startStand({ loaded: disk.catalogue });
    const target = { scheme: '', path: 'api.shop.svc.cluster.local:80', contextToken: '' };
    await using stream = new Reader((signal) => stand.destination.get(target, signal));
    const added = async () => {
      const { update } = await stream.next();
      return update?.$case === 'add' ? update.value.addrs[0]?.addr?.ip?.ip?.value : update?.$case;
    };
    expect(await added()).toBe(0x0a000001);
    await disk.write('services: {');
    await eventually(() => expect(disk.problem.value).toContain('expected well-formed YAML'));
    await disk.write(withEndpoint('10.0.0.2'));
    expect(await added()).toBe(0x0a000002);
    expect(await added()).toBe('remove');
  });
});
