import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseSubjectMap } from '../../../src/identity/token/subject-map.ts';
import { INHERITED_NAMES, jsonLike, textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { mesh } from '../samples/requests.ts';
import { fuzzTarget } from '../target.ts';

const subjects = ['vm-1', 'system:node', '', ...INHERITED_NAMES];
const names = ['shop/web', 'shop/a.b', 'shop', 'shop/web/x', 'Shop/web', '/', '', 7, null, 'shop/\u202e'];

/** Every subject of the text speaks for the ServiceAccount that stands beside it, and nobody else for any. */
export const subjectMapTarget = fuzzTarget<string>({
  name: 'subject-map',
  file: 'identity/token/subject-map.ts',
  inputs: fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .uniqueArray(
          fc.tuple(fc.constantFrom(...subjects), fc.constantFrom<unknown>(...names.slice(0, 2), ...names)),
          {
            maxLength: 3,
            selector: ([subject]) => subject,
          },
        )
        .map(
          (entries) =>
            `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`,
        ),
    },
    { weight: 1, arbitrary: jsonLike(subjects, names) },
    {
      weight: 1,
      arbitrary: textsLike(['{"vm-1":"shop/web"}'], ['{', '}', '"', ':', 'vm-1', 'shop/web', ',']),
    },
  ),
  check: (text) =>
    readOrRefuse(
      { codes: ['subjects_malformed'], message: /expected .+: ./s },
      () =>
        parseSubjectMap(
          text,
          ({ namespace, serviceAccount }) => void mesh.identity(namespace, serviceAccount),
        ),
      (map) => {
        const told = [...map].map(([subject, name]) => [subject, `${name.namespace}/${name.serviceAccount}`]);
        assert.deepEqual(told, Object.entries(JSON.parse(text) as object));
      },
    ),
});
