import { anchorsConfigMap, bundleTextOf } from '../../../src/identity/cluster/bundle-config-map.ts';
import { LogCapture } from '../../support/log-capture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryCollection } from '../../support/memory-collection.ts';
import { TestCa } from '../../support/test-ca.ts';

const key = 'kedge/kedge-trust-bundle';
const first = TestCa.create().bundle;
const second = TestCa.create().bundle;

function follow(bundles: MemoryCollection<string>) {
  const ended = new AbortController();
  const log = new LogCapture();
  const source = anchorsConfigMap({ bundles, key, clock: new ManualClock(), log }, ended.signal);
  return { source, log, end: () => ended.abort() };
}

describe('anchorsConfigMap', () => {
  it('takes the bundle of its ConfigMap and of no other, and each new one once', () => {
    const bundles = new MemoryCollection<string>();
    const { source, log } = follow(bundles);
    bundles.set('shop/kedge-trust-bundle', second.pem).set(key, first.pem).sync();
    expect(source.current.value?.sha256).toBe(first.sha256);
    expect(log.withMessage('trust anchors loaded')).toHaveLength(1);
    bundles.set(key, second.pem);
    expect(source.current.value?.sha256).toBe(second.sha256);
    expect(source.problem.value).toBeUndefined();
  });

  it('says that there is none once everything has been seen, and not before', () => {
    const bundles = new MemoryCollection<string>();
    const { source } = follow(bundles);
    expect(source.problem.value).toBeUndefined();
    bundles.sync();
    expect(source.problem.value).toBe('expected the ConfigMap kedge/kedge-trust-bundle, found none');
  });

  it.each<[string, (bundles: MemoryCollection<string>) => void, string]>([
    ['is deleted', (bundles) => bundles.delete(key), 'found none'],
    ['is emptied', (bundles) => bundles.set(key, bundleTextOf({ metadata: { name: '' } })), 'trust bundle:'],
    ['is garbage', (bundles) => bundles.set(key, 'garbage'), 'trust bundle:'],
  ])('goes on with the last good one when it %s, and recovers', (_, spoil, message) => {
    const bundles = new MemoryCollection<string>().set(key, first.pem).sync();
    const { source } = follow(bundles);
    spoil(bundles);
    expect(source.current.value?.sha256).toBe(first.sha256);
    expect(source.problem.value).toContain(message);
    bundles.set(key, second.pem);
    expect(source.current.value?.sha256).toBe(second.sha256);
    expect(source.problem.value).toBeUndefined();
  });

  it('reads the key that it is told', () => {
    const object = { metadata: { name: 'mesh-anchors' }, data: { 'ca.pem': first.pem } };
    expect(bundleTextOf(object, 'ca.pem')).toBe(first.pem);
    expect(bundleTextOf(object)).toBe('');
  });

  it('ends with its signal', () => {
    const bundles = new MemoryCollection<string>().set(key, first.pem).sync();
    const { source, end } = follow(bundles);
    end();
    bundles.set(key, second.pem);
    expect(source.current.value?.sha256).toBe(first.sha256);
  });
});
