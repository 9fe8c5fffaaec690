import { readFileSync } from 'node:fs';
import path from 'node:path';
import { destinationFileSchema } from '../../../src/destination/file/schema.ts';

const published = path.join(import.meta.dirname, '../../../docs/destination-file.schema.json');

describe('the published schema of the destination file', () => {
  it('is the one that files are checked against', () => {
    const text: unknown = JSON.parse(readFileSync(published, 'utf8'));
    // Where this fails, the file is behind the constant: write the constant to it as JSON and format it.
    expect(text).toEqual(destinationFileSchema);
  });
});
