import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseWorkloadName, workloadKey } from '../../../src/destination/workload-name.ts';
import { jsonLike, textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { fuzzTarget } from '../target.ts';

const samples = ['{"ns":"shop","pod":"web-0"}', '{"ns": "vm", "external_workload": "a.b"}', 'shop:web-0'];
const words = ['{', '}', '"ns"', '"pod"', ':', ',', '"shop"', 'shop', 'web', '.', '/'];

/** Two names of Kubernetes, or a refusal. */
export const workloadNameTarget = fuzzTarget<string>({
  name: 'workload-name',
  file: 'destination/workload-name.ts',
  inputs: fc.oneof(
    textsLike(samples, words),
    jsonLike(['ns', 'pod', 'external_workload'], ['shop', 'web-0', 'a.b', 'A', '', null, 7]),
  ),
  check: (text) =>
    readOrRefuse(
      { codes: ['workload_invalid'] },
      () => parseWorkloadName(text),
      (workload) => {
        assert.match(workloadKey(workload), /^[a-z0-9-]{1,63}\/[a-z0-9][a-z0-9.-]{0,252}$/);
        assert.ok(text.includes(workload.namespace) || text.includes('\\u'));
        assert.deepEqual(parseWorkloadName(`${workload.namespace}:${workload.name}`), workload);
      },
    ),
});
