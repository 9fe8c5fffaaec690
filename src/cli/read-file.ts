import { open } from 'node:fs/promises';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import { cliErrors } from './errors.ts';

/** Larger than any bundle; keeps a wrong path (a disk image, a device) from filling the memory. */
const MAX_BYTES = 1024 * 1024;

/** Reads a small file whole. Throws `file_not_found`, or `file_unreadable` for a directory, a large file or a lack of rights. */
export async function readSmallFile(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file);
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    if (length > MAX_BYTES) {
      throw cliErrors.error('file_unreadable', `${file}: expected at most ${MAX_BYTES} bytes, got more`);
    }
    return buffer.subarray(0, length);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'file_unreadable') throw cause;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw cliErrors.error('file_not_found', `${file}: expected a file, found none`, { cause });
    }
    const got =
      code === 'EISDIR' ? 'a directory' : code === 'EACCES' ? 'no right to read it' : errorMessage(cause);
    throw cliErrors.error('file_unreadable', `${file}: expected a file that can be read, got ${got}`, {
      cause,
    });
  }
}
