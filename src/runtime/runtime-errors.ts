import { errorCatalogue } from './errors.ts';

export const runtimeErrors = errorCatalogue({
  address_in_use: {
    kind: 'unavailable',
    help: 'Another process listens on this address. Stop it, or set another address.',
  },
  address_not_permitted: {
    kind: 'permission_denied',
    help: 'This process may not listen on this port. Use one above 1023, or give it the right to lower ones.',
  },
  address_not_available: {
    kind: 'invalid_argument',
    help: 'No network interface of this machine has this address. Set one of its own, or 0.0.0.0 or [::] for all.',
  },
  file_missing: {
    kind: 'not_found',
    help: 'Create or mount the file, or correct the setting that names it. It is read as soon as it is there.',
  },
  file_unreadable: {
    kind: 'permission_denied',
    help: 'Let the user this process runs as read the file. It is read again by itself.',
  },
  file_not_regular: {
    kind: 'invalid_argument',
    help: 'The path names a directory, a device or the like. Set the path of a regular file.',
  },
  file_too_large: {
    kind: 'invalid_argument',
    help: 'The file is far larger than any file of its kind should be. Check that the path names the right one.',
  },
  files_changing: {
    kind: 'unavailable',
    help: 'The files are written to again and again, so no consistent set was read. They are read again by themselves.',
  },
  no_descriptors: {
    kind: 'resource_exhausted',
    help: 'The process has no file descriptors left for more connections. Raise its limit (ulimit -n), or look for whoever keeps so many open. Accepting goes on by itself once some have ended.',
  },
});
