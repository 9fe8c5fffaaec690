import { errorCatalogue } from '../runtime/errors.ts';

/** What can be wrong with a certificate, a request, a key, a name or a chain. */
export const pkiErrors = errorCatalogue({
  der_malformed: {
    kind: 'invalid_argument',
    help: 'The bytes are not strict DER (X.690). Encode the object again with a tool that writes DER, not BER.',
  },
  pem_malformed: {
    kind: 'invalid_argument',
    help: 'The text is not PEM (RFC 7468), or it holds another kind of block than the one wanted. The message says how to convert it.',
  },
  certificate_malformed: {
    kind: 'invalid_argument',
    help: 'The certificate is not a well-formed X.509 v3 certificate (RFC 5280). Look at it with `openssl x509 -text` and issue it again.',
  },
  csr_malformed: {
    kind: 'invalid_argument',
    help: 'The certificate signing request is not well-formed PKCS #10 (RFC 2986). Send DER, with nothing behind it.',
  },
  csr_too_large: {
    kind: 'invalid_argument',
    help: 'The certificate signing request is larger than any honest one. Ask for one DNS name with one P-256 key.',
  },
  bundle_malformed: {
    kind: 'invalid_argument',
    help: 'A trust bundle is one or more CA certificates in PEM, and nothing else.',
  },
  identity_malformed: {
    kind: 'invalid_argument',
    help: 'The name is not a workload identity of this mesh: <service account>.<namespace>.serviceaccount.identity.<control namespace>.<trust domain>.',
  },
  private_key_malformed: {
    kind: 'invalid_argument',
    help: 'Give an unencrypted private key in PEM: PKCS #8 (PRIVATE KEY), SEC1 (EC PRIVATE KEY) or PKCS #1 (RSA PRIVATE KEY).',
  },
  key_mismatch: {
    kind: 'failed_precondition',
    help: 'The private key does not belong to the certificate. Put the certificate and the key of one pair side by side.',
  },
  key_not_allowed: {
    kind: 'failed_precondition',
    help: 'The key algorithm or size is not accepted: workloads use P-256; CAs use P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits.',
  },
  ca_not_usable: {
    kind: 'failed_precondition',
    help: 'The certificate cannot sign workload certificates. It needs the CA flag and, when it has a key usage, keyCertSign.',
  },
  chain_untrusted: {
    kind: 'unauthenticated',
    help: 'No path leads from the certificate to a trust anchor. Check that the intermediates were sent and that the anchor is in the bundle.',
  },
  chain_expired: {
    kind: 'unauthenticated',
    help: 'A certificate of the chain is past its end. Renew the one the message names; check the clock.',
  },
  chain_not_yet_valid: {
    kind: 'unauthenticated',
    help: 'A certificate of the chain is not valid yet. Check the clocks on both sides.',
  },
  chain_signature_invalid: {
    kind: 'unauthenticated',
    help: 'A signature does not verify with the key of the certificate that claims to have issued it. The issuer has the right name and another key.',
  },
  chain_algorithm_not_allowed: {
    kind: 'unauthenticated',
    help: 'A certificate is signed with an algorithm or key that is not accepted. Use ECDSA P-256 or P-384, Ed25519, or RSA (2048 to 8192 bits) with PKCS #1 v1.5 and SHA-2; RSA-PSS and SHA-1 are refused.',
  },
  chain_not_ca: {
    kind: 'unauthenticated',
    help: 'A certificate was used to issue another one without being allowed to. It needs the CA flag and, when it has a key usage, keyCertSign.',
  },
  chain_leaf_is_ca: {
    kind: 'unauthenticated',
    help: 'A CA certificate was presented where a workload certificate is wanted.',
  },
  chain_path_too_long: {
    kind: 'unauthenticated',
    help: 'There are more CAs below a certificate than its path length allows.',
  },
  chain_name_not_permitted: {
    kind: 'unauthenticated',
    help: 'A name lies outside the name constraints of a CA above it.',
  },
  chain_name_constraint_unsupported: {
    kind: 'unauthenticated',
    help: 'A CA carries a name constraint that is not enforced here (only DNS constraints are) or that is written wrongly. Issue the CA again with DNS constraints only.',
  },
  chain_usage_not_allowed: {
    kind: 'unauthenticated',
    help: 'The key usage or extended key usage of a certificate does not allow this use. A workload needs digitalSignature, serverAuth and clientAuth; an extended key usage on a CA binds everything below it.',
  },
  chain_critical_extension: {
    kind: 'unauthenticated',
    help: 'A certificate carries a critical extension that is not understood here and must therefore be refused (RFC 5280 4.2).',
  },
  chain_too_complex: {
    kind: 'unauthenticated',
    help: 'Building the path took more steps than any honest chain needs. Send the leaf and its intermediates only.',
  },
});
