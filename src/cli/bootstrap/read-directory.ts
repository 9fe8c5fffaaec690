import type { KeyObject } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { Certificate } from '../../pki/certificate.ts';
import { parsePrivateKey } from '../../pki/keys.ts';
import { TrustBundle } from '../../pki/trust-bundle.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import { cliErrors } from '../errors.ts';
import { readSmallFile } from '../read-file.ts';
import { inFile } from './in-file.ts';
import type { Layout } from './layout.ts';

/** What of a layout is there already, read and each part sound in itself. Whether they fit together is not said. */
export interface Present {
  readonly bundle: TrustBundle | undefined;
  readonly anchor: Certificate | undefined;
  readonly anchorKey: KeyObject | undefined;
  /** The issuer's certificate, then those between it and the anchor. */
  readonly issuer: readonly Certificate[] | undefined;
  readonly issuerKey: KeyObject | undefined;
  readonly issuerCa: TrustBundle | undefined;
}

/**
 * Reads what is there. Throws `bootstrap_exposed` where others could read a key or change a directory, and
 * `bootstrap_conflict` for what is not what its name says.
 */
export async function readDirectory(layout: Layout): Promise<Present> {
  // The directory itself may be a link its owner made; what is inside it may not.
  await checkDirectory(layout.directory, stat);
  await checkDirectory(layout.anchorDirectory, lstat);
  await checkDirectory(layout.issuerDirectory, lstat);
  return {
    bundle: await readPart(layout.bundle, (pem) => TrustBundle.parsePem(pem)),
    anchor: await readPart(layout.anchorCertificate, parseSingle),
    anchorKey: await readKey(layout.anchorKey),
    issuer: await readPart(layout.issuerCertificate, (pem) => Certificate.parsePem(pem)),
    issuerKey: await readKey(layout.issuerKey),
    issuerCa: await readPart(layout.issuerCa, (pem) => TrustBundle.parsePem(pem)),
  };
}

/** One CA certificate from PEM. */
export function parseSingle(pem: string): Certificate {
  const [certificate, ...more] = Certificate.parsePem(pem);
  if (certificate === undefined || more.length > 0) {
    throw cliErrors.error('bootstrap_conflict', `expected one certificate, got ${more.length + 1}`);
  }
  return certificate;
}

/** Reads and parses a file that the user named; says which file it was when that fails. */
export async function readNamed<T>(file: string, parse: (text: string) => T): Promise<T> {
  const text = (await readSmallFile(file)).toString('utf8');
  return inFile(file, () => parse(text));
}

async function readPart<T>(file: string, parse: (text: string) => T): Promise<T | undefined> {
  const found = await statusOf(file, lstat);
  if (found === undefined) return undefined;
  if (!found.isFile()) {
    throw cliErrors.error('bootstrap_conflict', `${file}: expected a plain file, got ${kindOf(found)}`);
  }
  return readNamed(file, parse);
}

async function readKey(file: string): Promise<KeyObject | undefined> {
  const found = await statusOf(file, lstat);
  if (found?.isFile() === true && (found.mode & 0o077) !== 0) {
    throw cliErrors.error(
      'bootstrap_exposed',
      `${file}: expected mode 0600, got ${modeOf(found)}: run chmod 600 '${file}', and replace the key if others could log in here`,
    );
  }
  return readPart(file, parsePrivateKey);
}

async function checkDirectory(directory: string, look: Look): Promise<void> {
  const found = await statusOf(directory, look);
  if (found === undefined) return;
  if (!found.isDirectory()) {
    throw cliErrors.error('bootstrap_conflict', `${directory}: expected a directory, got ${kindOf(found)}`);
  }
  if ((found.mode & 0o022) !== 0) {
    throw cliErrors.error(
      'bootstrap_exposed',
      `${directory}: expected a directory that only its owner can change, got mode ${modeOf(found)}: run chmod go-w '${directory}'`,
    );
  }
}

type Look = (file: string) => Promise<Stats>;

async function statusOf(file: string, look: Look): Promise<Stats | undefined> {
  try {
    return await look(file);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw cliErrors.error('file_unreadable', `expected to read ${file}, got ${errorMessage(cause)}`, {
      cause,
    });
  }
}

function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  return found.isDirectory() ? 'a directory' : found.isFile() ? 'a file' : 'something else';
}

function modeOf(found: Stats): string {
  return (found.mode & 0o7777).toString(8).padStart(4, '0');
}
