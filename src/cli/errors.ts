import { errorCatalogue } from '../runtime/errors.ts';

/** What the command line cannot do, and what to do about it. The command ends with 1 (docs/cli.md, "Exit codes"). */
export const cliErrors = errorCatalogue({
  file_not_found: {
    kind: 'not_found',
    help: 'Check the path; relative ones start from the directory the command was started in.',
  },
  file_unreadable: {
    kind: 'permission_denied',
    help: 'The file is there but cannot be read: a directory, too large, or without the right to read it.',
  },
  settings_incomplete: {
    kind: 'invalid_argument',
    help: 'The file lacks a setting that the command cannot do without; the message names it. docs/configuration.md has all of them.',
  },
  directory_unusable: {
    kind: 'invalid_argument',
    help: 'The path of the directory goes into a file that shells read too, between single quotes. Give another directory.',
  },
  no_certificate: {
    kind: 'invalid_argument',
    help: 'Give a certificate: PEM with at least one CERTIFICATE block, or one certificate in DER. Keys, requests and PKCS #12 files hold none that can be shown.',
  },
  address_unknown: {
    kind: 'not_found',
    help: 'The host name does not resolve on this machine. Give the address, and the identity of the proxy with --name.',
  },
  connection_refused: {
    kind: 'unavailable',
    help: 'Nothing listens there. Check the port: a proxy shows its certificate on its inbound port (4143) and its admin port (4191).',
  },
  connection_failed: {
    kind: 'unavailable',
    help: 'The network does not lead there, or the connection was cut before a certificate came. The message holds the cause.',
  },
  connection_timeout: {
    kind: 'deadline_exceeded',
    help: 'Nothing answered in time. A firewall that drops packets looks like this, and so does a port that waits for plaintext.',
  },
  no_tls: {
    kind: 'failed_precondition',
    help: 'Something listens there, but it does not answer TLS. A proxy takes TLS as its own only when the client names its identity: give it with --name.',
  },
  tls_refused: {
    kind: 'failed_precondition',
    help: 'The server speaks TLS and ended the handshake before it showed a certificate. The message holds its alert.',
  },
  bootstrap_conflict: {
    kind: 'failed_precondition',
    help: 'What is in the directory differs from what was asked for, or its parts do not fit together. Nothing was overwritten: move the file named away, or choose another directory.',
  },
  bootstrap_incomplete: {
    kind: 'failed_precondition',
    help: 'A part that cannot be made again is missing. Bring the file named back.',
  },
  bootstrap_unusable: {
    kind: 'failed_precondition',
    help: 'A given or present CA certificate cannot carry a mesh: it is expired, not a CA, or its algorithm is not accepted. The message says which.',
  },
  bootstrap_exposed: {
    kind: 'failed_precondition',
    help: 'Others may read a private key, or could exchange it. Set the mode that the message names.',
  },
  bootstrap_not_written: {
    kind: 'unavailable',
    help: 'The disk is full, not writable, or has no hard links. Nothing is half-written: mend that and run the same command again.',
  },
  replicas_missing: {
    kind: 'not_found',
    help: 'There are no pods of the identity service in that namespace. Give the namespace of the control plane with --namespace, or addresses with --address.',
  },
  settings_invalid: {
    kind: 'invalid_argument',
    help: 'Correct the settings that the message names, in the environment or with --set. The command ends with 64.',
  },
  vault_token_unusable: {
    kind: 'invalid_argument',
    help: '`kedge doctor`: log in (`vault login`, `bao login`), or set VAULT_TOKEN. `kedge dev-vault`: write the root token into a file and name it with --token-file. Tokens are never taken from arguments, which other users of the machine can see.',
  },
  nothing_to_print: {
    kind: 'failed_precondition',
    help: 'A local issuer needs no rights of anybody. Set KEDGE_ISSUER, in the environment or with --set.',
  },
  interrupted: {
    kind: 'cancelled',
    help: 'Somebody ended the command (Ctrl-C, SIGTERM, a closed terminal). What it made elsewhere was taken away again; run it anew for an answer.',
  },
  demo_timeout: {
    kind: 'deadline_exceeded',
    help: 'A step of the demo did not happen in time. The message ends with what was seen last; a loaded machine may need a second try.',
  },
  demo_process_ended: {
    kind: 'failed_precondition',
    help: 'A process of the demo ended when it should run. The end of its log is in the message.',
  },
});
