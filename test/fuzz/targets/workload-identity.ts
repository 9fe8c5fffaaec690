import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MeshDomain } from '../../../src/pki/workload-identity.ts';
import { textsLike } from '../mutate/texts.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { mesh, workload } from '../samples/requests.ts';
import { fuzzTarget } from '../target.ts';

const suffix = '.serviceaccount.identity.kedge.cluster.local';
const words = [
  'web',
  'shop',
  '.',
  '-',
  'a'.repeat(63),
  suffix,
  '.serviceaccount',
  '.identity.',
  'kedge',
  'A',
  'é',
];
const dnsNames = textsLike([workload.dnsName, `a.b.c${suffix}`], words);
const parts = textsLike(['shop', 'web', 'cluster.local'], words);

interface Input {
  readonly dnsName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const wanted = new RegExp(`^(${label}\\.)+${label}\\.serviceaccount\\.identity\\.kedge\\.cluster\\.local$`);

/** A name that is read is the name that its parts make, and only names of Kubernetes make one. */
export const workloadIdentityTarget = fuzzTarget<Input>({
  name: 'workload-identity',
  file: 'pki/workload-identity.ts',
  inputs: fc.oneof(
    fc.record({
      dnsName: dnsNames,
      namespace: fc.constant('shop'),
      serviceAccount: fc.constant('web'),
      trustDomain: fc.constant('cluster.local'),
    }),
    fc.record({
      dnsName: fc.constant(workload.dnsName),
      namespace: parts,
      serviceAccount: parts,
      trustDomain: parts,
    }),
  ),
  check: ({ dnsName, namespace, serviceAccount, trustDomain }) =>
    readOrRefuse(
      { codes: ['identity_malformed'] },
      () => ({
        read: mesh.parse(dnsName),
        made: new MeshDomain('kedge', trustDomain).identity(namespace, serviceAccount),
      }),
      ({ read, made }) => {
        assert.equal(read.dnsName, dnsName);
        assert.match(dnsName, wanted);
        assert.ok(made.dnsName.length <= 253);
        assert.deepEqual(new MeshDomain('kedge', trustDomain).parse(made.dnsName), made);
        assert.ok(URL.canParse(made.spiffeId));
      },
    ),
});
