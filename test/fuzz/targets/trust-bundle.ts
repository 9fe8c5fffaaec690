import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodePem } from '../../../src/pki/pem.ts';
import { TrustBundle } from '../../../src/pki/trust-bundle.ts';
import { changedText } from '../mutate/change-bytes.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { certificates } from '../samples/certificates.ts';
import { fuzzTarget } from '../target.ts';

const anchors = certificates.filter((_, i) => i !== 1);
const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der);

const block = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...anchors).map(pem) },
  { weight: 1, arbitrary: changedDer(...certificates).map(pem) },
  { weight: 1, arbitrary: changedText(pem(anchors[0]!)) },
);

/** A bundle is a set: neither order nor repetition counts, and all of it are CAs. */
export const trustBundleTarget = fuzzTarget<string[]>({
  name: 'trust-bundle',
  file: 'pki/trust-bundle.ts',
  inputs: fc.oneof(
    { weight: 9, arbitrary: fc.array(block, { maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(block, fc.nat(80)).map(([one, count]) => Array.from({ length: count }, () => one)),
    },
  ),
  check: (blocks) =>
    readOrRefuse(
      { codes: ['bundle_malformed'] },
      () => TrustBundle.parsePem(blocks.join('\n')),
      (bundle) => {
        assert.ok(bundle.anchors.every(({ isCa }) => isCa));
        assert.ok(bundle.anchors.length <= blocks.length);
        assert.ok(bundle.equals(TrustBundle.parsePem(bundle.pem)));
        assert.ok(bundle.equals(TrustBundle.parsePem(blocks.toReversed().join('\n'))));
        assert.ok(bundle.equals(bundle.union(TrustBundle.of(bundle.anchors.slice(0, 1)))));
      },
    ),
});
