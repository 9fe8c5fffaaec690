import { parseSubjectMap } from '../../../src/identity/token/subject-map.ts';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import { refusal } from '../../support/refusal.ts';

const domain = new MeshDomain('kedge', 'cluster.local');
const parse = (text: string): ReturnType<typeof parseSubjectMap> =>
  parseSubjectMap(text, (name) => void domain.identity(name.namespace, name.serviceAccount));

describe('parseSubjectMap', () => {
  it('maps each subject to one ServiceAccount', () => {
    const subjects = parse('{"vm-1":"shop/web","vm-2":"shop/web","system:serviceaccount:a:b":"a/b.c"}');
    expect(subjects.get('vm-2')).toEqual({ namespace: 'shop', serviceAccount: 'web' });
    expect(subjects.get('system:serviceaccount:a:b')).toEqual({ namespace: 'a', serviceAccount: 'b.c' });
  });

  it('knows no subject that is not in it, whatever objects inherit', () => {
    const subjects = parse('{"vm-1":"shop/web"}');
    expect(['vm', 'constructor', '__proto__', ''].map((subject) => subjects.get(subject))).toEqual(
      Array(4).fill(undefined),
    );
  });

  it.each([
    ['no JSON', 'vm-1: shop/web', 'expected JSON: '],
    ['a list', '["vm-1"]', 'expected a JSON object: another JSON value'],
    ['a subject twice', '{"vm-1":"shop/web","vm-1":"shop/api"}', 'got one twice'],
    ['an empty subject', '{"":"shop/web"}', 'a subject for each line'],
    ['a name without a slash', '{"vm-1":"web"}', '"namespace/serviceaccount" for "vm-1"'],
    ['a name with two', '{"vm-1":"shop/web/x"}', 'got more than one slash'],
    ['an object for a name', '{"vm-1":{}}', '"namespace/serviceaccount" for "vm-1"'],
    ['a namespace with a dot', '{"vm-1":"shop.x/web"}', 'expected the namespace to be a DNS label'],
    ['a ServiceAccount in capitals', '{"vm-1":"shop/Web"}', 'expected the service account to be DNS labels'],
    ['a wildcard', '{"vm-1":"*/web"}', 'expected the namespace to be a DNS label'],
  ])('refuses %s', (_, text, message) => {
    const refused = refusal(() => parse(text));
    expect(refused).toContain('subjects_malformed: ');
    expect(refused).toContain(message);
  });

  it('shows nothing of what it read as it was', () => {
    expect(refusal(() => parse('\u001b[2J'))).not.toMatch(/\p{C}/u);
  });
});
