{{/* What may sign, as JSON: the issuer and then its fallbacks, each with its mode (none for local) and its values. */}}
{{- define "kedge.signers" -}}
{{- $usual := dict "local" "" "vault" "direct" "cert-manager" "intermediate" -}}
{{- $values := dict "local" .Values.local "vault" .Values.vault "cert-manager" .Values.certManager -}}
{{- $signers := list (dict "name" .Values.issuer "mode" (get (get $values .Values.issuer) "mode") "values" (get $values .Values.issuer)) -}}
{{- range .Values.fallbacks -}}
{{- $signers = append $signers (dict "name" . "mode" (get $usual .) "values" (get $values .)) -}}
{{- end -}}
{{- toJson $signers -}}
{{- end -}}

{{/* Settings of identity for its issuer and the fallbacks; for those of others it has no use. */}}
{{- define "kedge.issuerEnv" -}}
- name: KEDGE_ISSUER
  value: {{ .Values.issuer | quote }}
{{- range include "kedge.signers" . | fromJsonArray }}
{{- include (printf "kedge.issuerEnv.%s" .name) . }}
{{- end }}
{{- if ne .Values.issuer "local" }}
- name: KEDGE_ISSUER_MODE
  value: {{ (first (include "kedge.signers" . | fromJsonArray)).mode | quote }}
{{- else }}
- name: KEDGE_ISSUER_BOOTSTRAP
  value: {{ .Values.local.bootstrap | quote }}
- name: KEDGE_TRUST_ANCHOR_SECRET
  value: {{ .Values.local.anchorSecret | quote }}
{{- end }}
{{- with .Values.fallbacks }}
- name: KEDGE_ISSUER_FALLBACKS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.identity.issuerRate }}
- name: KEDGE_ISSUER_RATE
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "kedge.issuerEnv.local" }}
- name: KEDGE_ISSUER_LOCAL_SECRET
  value: {{ .values.secret | quote }}
{{- end -}}

{{- define "kedge.issuerEnv.cert-manager" }}
{{- if eq .mode "direct" }}
{{- with .values }}
- name: KEDGE_CERT_MANAGER_ISSUER_NAME
  value: {{ .issuerRef.name | quote }}
- name: KEDGE_CERT_MANAGER_ISSUER_KIND
  value: {{ .issuerRef.kind | quote }}
- name: KEDGE_CERT_MANAGER_ISSUER_GROUP
  value: {{ .issuerRef.group | quote }}
- name: KEDGE_CERT_MANAGER_MAX_REQUESTS
  value: {{ .maxRequests | quote }}
{{- end }}
{{- else }}
- name: KEDGE_CERT_MANAGER_SECRET
  value: {{ .values.secret | quote }}
{{- end }}
{{- end -}}

{{- define "kedge.issuerEnv.vault" }}
{{- $mode := .mode }}
{{- with .values }}
- name: KEDGE_VAULT_ADDR
  value: {{ .address | quote }}
- name: KEDGE_VAULT_ALLOW_PLAINTEXT
  value: {{ .allowPlaintext | quote }}
{{- if .caConfigMap }}
- name: KEDGE_VAULT_CA_FILE
  value: /var/run/secrets/vault/ca/ca.crt
{{- end }}
{{- with .serverName }}
- name: KEDGE_VAULT_SERVER_NAME
  value: {{ . | quote }}
{{- end }}
{{- with .namespace }}
- name: KEDGE_VAULT_NAMESPACE
  value: {{ . | quote }}
{{- end }}
- name: KEDGE_VAULT_AUTH
  value: {{ .auth.method | quote }}
{{- with .auth.mount }}
- name: KEDGE_VAULT_AUTH_MOUNT
  value: {{ . | quote }}
{{- end }}
{{- include (printf "kedge.vaultLogin.%s" .auth.method) .auth }}
- name: KEDGE_VAULT_PKI_MOUNT
  value: {{ .pki.mount | quote }}
{{- if eq $mode "direct" }}
- name: KEDGE_VAULT_PKI_ROLE
  value: {{ .pki.role | quote }}
{{- else }}
- name: KEDGE_VAULT_INTERMEDIATE_LIFETIME
  value: {{ .intermediateLifetime | quote }}
{{- end }}
{{- with .pki.issuer }}
- name: KEDGE_VAULT_PKI_ISSUER
  value: {{ . | quote }}
{{- end }}
{{- with .anchorSha256 }}
- name: KEDGE_VAULT_ANCHOR_SHA256
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kedge.vaultLogin.role" }}
- name: KEDGE_VAULT_AUTH_ROLE
  value: {{ .role | quote }}
{{- end -}}

{{- define "kedge.vaultLogin.kubernetes" }}
{{- include "kedge.vaultLogin.role" . }}
- name: KEDGE_VAULT_JWT_FILE
  value: /var/run/secrets/vault/token
{{- end -}}

{{- define "kedge.vaultLogin.jwt" }}
{{- include "kedge.vaultLogin.kubernetes" . }}
{{- end -}}

{{- define "kedge.vaultLogin.approle" }}
- name: KEDGE_VAULT_ROLE_ID_FILE
  value: /var/run/secrets/vault/role-id
- name: KEDGE_VAULT_SECRET_ID_FILE
  value: /var/run/secrets/vault/secret-id
{{- end -}}

{{- define "kedge.vaultLogin.cert" }}
{{- include "kedge.vaultLogin.role" . }}
- name: KEDGE_VAULT_CLIENT_CERT_FILE
  value: /var/run/secrets/vault/tls.crt
- name: KEDGE_VAULT_CLIENT_KEY_FILE
  value: /var/run/secrets/vault/tls.key
{{- end -}}

{{- define "kedge.vaultLogin.token-file" }}
- name: KEDGE_VAULT_TOKEN_FILE
  value: {{ .tokenFile | quote }}
{{- end -}}

{{/* What identity logs in to Vault with, and what it knows Vault by; empty where it needs no files. */}}
{{- define "kedge.vaultSources" -}}
{{- if has "vault" (prepend .Values.fallbacks .Values.issuer) }}
{{- with .Values.vault }}
{{- if has .auth.method (list "kubernetes" "jwt") }}
- serviceAccountToken:
    path: token
    audience: {{ .auth.audience | quote }}
    # The shortest that Kubernetes gives; it is read at each log-in.
    expirationSeconds: 600
{{- else if has .auth.method (list "approle" "cert") }}
- secret:
    name: {{ .auth.secret | quote }}
{{- end }}
{{- if .caConfigMap }}
- configMap:
    name: {{ .caConfigMap | quote }}
    # Identity waits for it, and says so.
    optional: true
    items:
      - { key: ca.crt, path: ca/ca.crt }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The Secrets of the CAs that sign in identity, as JSON. */}}
{{- define "kedge.issuerSecrets" -}}
{{- $secrets := list -}}
{{- range include "kedge.signers" . | fromJsonArray -}}
{{- if or (eq .name "local") (and (eq .name "cert-manager") (eq .mode "intermediate")) -}}
{{- $secrets = append $secrets .values.secret -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end -}}
