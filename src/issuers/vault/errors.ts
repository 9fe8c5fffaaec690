import { errorCatalogue } from '../../runtime/errors.ts';

/** Why Vault or OpenBao did not do what it was asked for. */
export const vaultErrors = errorCatalogue({
  vault_sealed: {
    kind: 'unavailable',
    help: 'Vault is sealed and answers nothing before it is unsealed: `vault operator unseal` (`bao operator unseal`), or look at why its auto-unseal fails.',
  },
  vault_not_initialised: {
    kind: 'unavailable',
    help: 'Vault runs and was never initialised: `vault operator init` (`bao operator init`). Check that KEDGE_VAULT_ADDR is the server that is meant.',
  },
  vault_standby: {
    kind: 'unavailable',
    help: 'This server is a standby that does not pass requests on. Let KEDGE_VAULT_ADDR name the Service of the active server, or let the standbys forward.',
  },
  vault_rate_limited: {
    kind: 'resource_exhausted',
    help: 'A rate limit quota of Vault refused the call. Raise the quota, or set KEDGE_ISSUER_RATE to the share of one replica in it.',
  },
  vault_failed: {
    kind: 'unavailable',
    help: 'Vault met an error of its own. Its log tells more than its answer.',
  },
  vault_forbidden: {
    kind: 'unavailable',
    help: 'The policy of the token does not allow the call, also after a new log-in. Give the policy the path in the message with the capability "update"; `kedge doctor issuer` prints the whole policy.',
  },
  vault_login_refused: {
    kind: 'unavailable',
    help: 'Vault did not accept the credentials. Compare the role of the log-in with what is presented: ServiceAccount, namespace and audience; issuer and claims; role id and secret id; the CA of the client certificate. The log of Vault says which did not fit.',
  },
  vault_credentials_missing: {
    kind: 'unavailable',
    help: 'A file that the log-in or the connection needs cannot be read. Mount it, or correct the setting that names it; it is read again at the next attempt.',
  },
  vault_path_missing: {
    kind: 'unavailable',
    help: 'Nothing is mounted at this path, or the role or issuer is not there. Check KEDGE_VAULT_AUTH_MOUNT, KEDGE_VAULT_PKI_MOUNT, KEDGE_VAULT_PKI_ROLE, KEDGE_VAULT_PKI_ISSUER and KEDGE_VAULT_NAMESPACE.',
  },
  vault_request_refused: {
    kind: 'failed_precondition',
    help: 'The role refuses this certificate, and will do so again; the message holds its reason. It needs key_type "ec" or "any", require_cn false, allowed_domains and allowed_uri_sans that cover the names of the mesh, and a CA that lives longer than a leaf.',
  },
  vault_unreachable: {
    kind: 'unavailable',
    help: 'No connection to Vault, or one that broke. Check KEDGE_VAULT_ADDR, that the server runs, and the network policies between.',
  },
  vault_name_unknown: {
    kind: 'unavailable',
    help: 'The name in KEDGE_VAULT_ADDR has no address. Check the name, its namespace and the DNS of the cluster.',
  },
  vault_certificate_untrusted: {
    kind: 'unavailable',
    help: 'The certificate of Vault leads to no CA that is known here. Put that CA into KEDGE_VAULT_CA_FILE; skipping the check is not possible.',
  },
  vault_certificate_name: {
    kind: 'unavailable',
    help: 'The certificate of Vault is for other names than the one it was asked by. Set KEDGE_VAULT_SERVER_NAME to one of them, or issue it again.',
  },
  vault_tls_failed: {
    kind: 'unavailable',
    help: 'TLS with Vault failed. The message says how: an expired certificate, a server without TLS, a client certificate that it wants.',
  },
  vault_timeout: {
    kind: 'unavailable',
    help: 'Vault did not answer in time (KEDGE_ISSUER_TIMEOUT). Look at its load, its storage and the network.',
  },
  vault_redirected: {
    kind: 'unavailable',
    help: 'Vault sent the call to another address, and tokens go to KEDGE_VAULT_ADDR only. Name the active server there, or let the standbys forward.',
  },
  vault_answer_incomplete: {
    kind: 'unavailable',
    help: 'The connection ended in the middle of an answer. Look at what stands between here and Vault.',
  },
  vault_answer_malformed: {
    kind: 'internal',
    help: 'The answer is not one of the Vault API. Check that KEDGE_VAULT_ADDR is Vault itself and not a page of something in front of it.',
  },
  vault_answer_too_large: {
    kind: 'internal',
    help: 'The answer is far larger than any of the Vault API. Check that KEDGE_VAULT_ADDR is Vault itself.',
  },
  vault_anchor_unknown: {
    kind: 'unavailable',
    help: 'The CA in the PKI mount does not fit the trust anchors of the mesh. Add its root to them first (docs/issuers/moving.md), or correct KEDGE_VAULT_PKI_MOUNT, KEDGE_VAULT_PKI_ISSUER or KEDGE_VAULT_ANCHOR_SHA256.',
  },
});
