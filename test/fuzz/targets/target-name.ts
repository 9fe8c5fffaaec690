import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { parseTarget, qualifiedName } from '../../../src/destination/target.ts';
import { textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';

const domain = 'cluster.local';
const samples = [
  'api.shop.svc.cluster.local:7000',
  'API.shop.svc.cluster.local.',
  'api-0.api.shop.svc.cluster.local:80',
  '10.0.0.1:80',
  '[fd00::1]:443',
  '[::ffff:10.0.0.1]',
];
const words = [
  'api.shop.svc.cluster.local',
  '10.0.0.1',
  ':00080',
  ':000080',
  'api',
  'shop',
  '.',
  '.svc.',
  '.svc.cluster.local',
  ':',
  '80',
  '65536',
  '0',
  '[',
  ']',
  '::',
  'fd00',
  '%eth0',
  '-',
];

/** Of an address in brackets, or of anything else with one colon. */
const portOf = /^(?:\[.*\]|[^:]*):(\d{1,5})$/;

/** A name that is read is the name that its parts make; an address is one. */
export const targetNameTarget = fuzzTarget<string>({
  name: 'target-name',
  file: 'destination/target.ts',
  inputs: textsLike(samples, words),
  check: (path) =>
    readOrRefuse(
      { codes: ['target_invalid', 'target_outside_cluster'] },
      () => parseTarget(path, domain),
      (target) => {
        assert.ok(Number.isInteger(target.port) && target.port >= 1 && target.port <= 65535);
        assert.equal(target.port, Number(portOf.exec(path)?.[1] ?? 80));
        if (target.kind === 'address') {
          assert.notEqual(isIP(target.address.toString()), 0);
          return;
        }
        const name = qualifiedName(target, domain);
        assert.ok(path.toLowerCase().startsWith(name));
        assert.match(path.slice(name.length), /^\.*(:\d{1,5})?$/);
        assert.deepEqual(parseTarget(`${name}:${target.port}`, domain), target);
      },
    ),
});
