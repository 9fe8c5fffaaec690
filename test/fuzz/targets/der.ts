import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DerReader, MAX_DER_BYTES } from '../../../src/pki/der.ts';
import { tlv } from '../../../src/pki/der-writer.ts';
import { changedDer } from '../mutate/change-der.ts';
import { readNodes } from '../mutate/der-tree.ts';
import { readOrRefuse } from '../read-or-refuse.ts';
import { certificates } from '../samples/certificates.ts';
import { honestRequest } from '../samples/requests.ts';
import { accepted, fuzzTarget } from '../target.ts';
import type { Outcome } from '../target.ts';

const CONSTRUCTED = 0x20;

/** More levels than the reader goes down. */
const TOO_DEEP = 16;

/** Contents on both sides of where a longer form of the length begins. */
const lengths = [127, 128, 255, 256].map((length) => tlv(0x04, Buffer.alloc(length)));

const samples = [...certificates, honestRequest, ...lengths];

/** Strict DER is read, and is what the writer writes; all else is refused, as far as lengths and tags go. */
export const derTarget = fuzzTarget<Buffer>({
  name: 'der',
  file: 'pki/der.ts',
  inputs: fc.oneof(
    { weight: 3, arbitrary: changedDer(...samples) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  ),
  check,
  explore: { files: ['pki/der.ts'], seeds: samples, shape: 'der', check },
});

function check(bytes: Buffer): Outcome {
  const outcome = readOrRefuse(
    { codes: ['der_malformed'] },
    () => writtenAgain(new DerReader(bytes, 'input')),
    (again) => assert.deepEqual(Buffer.concat(again), bytes),
  );
  assert.equal(
    outcome === accepted,
    bytes.length <= MAX_DER_BYTES && isStrict(bytes, 0),
    'expected the verdict of a second reader',
  );
  return outcome;
}

function writtenAgain(reader: DerReader): Buffer[] {
  const parts: Buffer[] = [];
  while (!reader.done) {
    const element = reader.any();
    const inside =
      (element.tag & CONSTRUCTED) === 0 ? [element.content] : writtenAgain(reader.into(element, 'part'));
    parts.push(tlv(element.tag, ...inside));
  }
  return parts;
}

/** The same judgement by other means. */
function isStrict(bytes: Buffer, depth: number): boolean {
  if (depth > TOO_DEEP) return false;
  return (
    readNodes(bytes)?.every(
      ({ tag, content }) => (tag & CONSTRUCTED) === 0 || isStrict(content, depth + 1),
    ) ?? false
  );
}
