import path from 'node:path';
import type { Certificate } from '../../pki/certificate.ts';
import type { BootstrapResult } from './bootstrap.ts';

/** `made` by this run, `kept` from before, or `away`: not in the directory, and not needed. */
export type FileState = 'made' | 'kept' | 'away';

export interface FileReport {
  /** Relative to the directory. */
  readonly file: string;
  readonly state: FileState;
  readonly holds: 'private key' | 'certificate' | 'trust bundle';
  readonly subject?: string;
  readonly notAfter?: string;
  readonly sha256?: string;
}

/** The JSON answer of `kedge bootstrap`. */
export interface BootstrapReport {
  readonly directory: string;
  readonly changed: boolean;
  readonly files: readonly FileReport[];
  readonly notes: readonly string[];
  /** Commands to go on with. */
  readonly next: readonly string[];
}

export function reportBootstrap(result: BootstrapResult): BootstrapReport {
  const { layout, anchor, issuer, bundle, made, anchorKeyIsThere } = result;
  const state = (file: string, there = true): FileState =>
    made.includes(file) ? 'made' : there ? 'kept' : 'away';
  const entry = (file: string, holds: FileReport['holds'], certificate?: Certificate): FileReport => ({
    file: path.relative(layout.directory, file),
    state: state(file, file !== layout.anchorKey || anchorKeyIsThere),
    holds,
    ...(certificate && {
      subject: certificate.subject,
      notAfter: certificate.notAfter.toISOString(),
      sha256: certificate.fingerprint,
    }),
  });
  return {
    directory: layout.directory,
    changed: made.length > 0,
    files: [
      entry(layout.bundle, 'trust bundle', bundle.anchors.length === 1 ? bundle.anchors[0] : undefined),
      entry(layout.anchorCertificate, 'certificate', anchor.certificate),
      entry(layout.anchorKey, 'private key'),
      entry(layout.issuerCertificate, 'certificate', issuer.certificate),
      entry(layout.issuerKey, 'private key'),
      entry(layout.issuerCa, 'certificate', anchor.certificate),
    ],
    notes: notesOn(result),
    next: [
      `kedge identity ${shellWord(layout.issuerCertificate)} --anchors ${shellWord(layout.bundle)}`,
      `export KEDGE_TRUST_ANCHORS_FILE=${shellWord(path.resolve(layout.bundle))}`,
      `export KEDGE_ISSUER_LOCAL_DIR=${shellWord(path.resolve(layout.issuerDirectory))}`,
    ],
  };
}

function notesOn({ layout, anchor, issuer, bundle, anchorKeyIsThere }: BootstrapResult): string[] {
  const notes: string[] = [];
  if (anchorKeyIsThere) notes.push(`Take ${layout.anchorKey} offline: nothing but a new issuer needs it.`);
  if (bundle.anchors.length > 1) notes.push(`${layout.bundle} holds ${bundle.anchors.length} trust anchors.`);
  if (issuer.certificate.notAfter >= anchor.certificate.notAfter) {
    notes.push('The issuer ends with its anchor: an issuer cannot outlive it.');
  }
  return notes;
}

/** A path as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
