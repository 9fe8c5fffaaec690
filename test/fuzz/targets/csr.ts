import assert from 'node:assert/strict';
import { checkCsr } from '../../../src/identity/csr-policy.ts';
import { Csr } from '../../../src/pki/csr.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readNodes, writeNodes } from '../mutate/der-tree.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { requests, workload } from '../samples/requests.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

const signedParts = new Set(requests.map(signedPart));

/** A request is read as it is; its signature holds only over what was signed; the policy lets through one name. */
export const csrTarget = fuzzTarget<Buffer>({
  name: 'csr',
  file: 'pki/csr.ts',
  inputs: changedDer(...requests),
  check,
  explore: {
    files: [
      'pki/csr.ts',
      'pki/csr-attributes.ts',
      'pki/distinguished-name.ts',
      'pki/public-key.ts',
      'identity/csr-policy.ts',
    ],
    seeds: requests,
    shape: 'der',
    check,
  },
});

function check(der: Buffer): Outcome {
  let policy = accepted;
  const outcome = readOrRefuse(
    { codes: ['csr_malformed', 'csr_too_large'] },
    () => Csr.parse(der),
    (csr) => {
      assert.deepEqual(csr.der, der);
      assert.doesNotMatch(csr.subject, /\p{Cc}/u);
      assert.ok(csr.subjectRdnCount <= csr.subjectTypes.length);
      assert.equal(csr.duplicate !== undefined, anyTwice(csr.attributeOids) || anyTwice(csr.extensionOids));
      const signed = csr.verifySignature();
      if (signed) assert.ok(signedParts.has(signedPart(der)), 'expected no forgery');
      policy = judged(csr);
      assert.ok(policy !== accepted || signed, 'expected the policy to ask for a signature');
    },
  );
  return outcome === accepted ? policy : outcome;
}

/** What gets past the policy asks for this workload's names and nothing else. */
function judged(csr: Csr): Outcome {
  return readOrRefuse(
    { codes: ['csr_refused'] },
    () => checkCsr(csr, workload),
    () => {
      assert.deepEqual(csr.sans.dns, [workload.dnsName]);
      assert.ok(csr.sans.uri.every((uri) => uri === workload.spiffeId));
      assert.equal(csr.sans.ip.length + csr.sans.email.length + csr.sans.other, 0);
      assert.equal(csr.asksForCa, false);
      assert.equal(csr.publicKey.algorithm, 'EC P-256');
    },
  );
}

function anyTwice(oids: readonly string[]): boolean {
  return new Set(oids).size < oids.length;
}

/** Under the signature, in hex. */
function signedPart(der: Buffer): string {
  const body = readNodes(der)?.[0]?.parts?.[0];
  return body === undefined ? '' : writeNodes([body]).toString('hex');
}
