{{/* Settings of identity for its issuer; for those of an issuer that is not chosen it has no use. */}}
{{- define "kedge.issuerEnv" -}}
- name: KEDGE_ISSUER
  value: {{ .Values.issuer | quote }}
{{- include (printf "kedge.issuerEnv.%s" .Values.issuer) . }}
{{- with .Values.identity.issuerRate }}
- name: KEDGE_ISSUER_RATE
  value: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "kedge.issuerEnv.local" }}
- name: KEDGE_ISSUER_LOCAL_SECRET
  value: {{ .Values.local.secret | quote }}
- name: KEDGE_ISSUER_BOOTSTRAP
  value: {{ .Values.local.bootstrap | quote }}
- name: KEDGE_TRUST_ANCHOR_SECRET
  value: {{ .Values.local.anchorSecret | quote }}
{{- end -}}

{{- define "kedge.issuerEnv.cert-manager" }}
{{- with .Values.certManager }}
- name: KEDGE_ISSUER_MODE
  value: {{ .mode | quote }}
{{- if eq .mode "direct" }}
- name: KEDGE_CERT_MANAGER_ISSUER_NAME
  value: {{ .issuerRef.name | quote }}
- name: KEDGE_CERT_MANAGER_ISSUER_KIND
  value: {{ .issuerRef.kind | quote }}
- name: KEDGE_CERT_MANAGER_ISSUER_GROUP
  value: {{ .issuerRef.group | quote }}
- name: KEDGE_CERT_MANAGER_MAX_REQUESTS
  value: {{ .maxRequests | quote }}
{{- else }}
- name: KEDGE_CERT_MANAGER_SECRET
  value: {{ .secret | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kedge.issuerEnv.vault" }}
{{- with .Values.vault }}
- name: KEDGE_ISSUER_MODE
  value: {{ .mode | quote }}
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
{{- if eq .mode "direct" }}
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
{{- if eq .Values.issuer "vault" }}
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
    items:
      - { key: ca.crt, path: ca/ca.crt }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The Secret of the CA that signs in identity, quoted; empty where there is none in the cluster. */}}
{{- define "kedge.issuerSecret" -}}
{{- if eq .Values.issuer "local" }}{{ .Values.local.secret | quote }}
{{- else if and (eq .Values.issuer "cert-manager") (eq .Values.certManager.mode "intermediate") }}{{ .Values.certManager.secret | quote }}
{{- end }}
{{- end -}}
