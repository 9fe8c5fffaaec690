{{/* What no schema can say: settings that are well-formed each and wrong together. */}}
{{- define "kedge.validate" -}}
{{- $local := .Values.local -}}
{{- if and $local.bootstrap (eq $local.secret $local.anchorSecret) -}}
{{- fail (printf "expected local.secret and local.anchorSecret to be two Secrets, got %q for both: whoever may read the issuer's key must not read the anchor's" $local.secret) -}}
{{- end -}}
{{- if and .Values.trust.anchors .Values.trust.configMap -}}
{{- fail "expected either trust.anchors or trust.configMap, got both: the trust anchors have one place" -}}
{{- end -}}
{{- if and .Values.trust.anchors (eq .Values.issuer "local") $local.bootstrap -}}
{{- fail "expected no trust.anchors with local.bootstrap, got some: that makes an anchor of its own; set local.bootstrap to false" -}}
{{- end -}}
{{- if and .Values.trust.configMap (eq .Values.issuer "local") $local.bootstrap -}}
{{- fail "expected no trust.configMap with local.bootstrap, got one: that makes an anchor of its own; set local.bootstrap to false" -}}
{{- end -}}
{{- if .Values.fallbacks -}}
{{- include "kedge.validateFallbacks" . -}}
{{- end -}}
{{- if has "vault" (prepend .Values.fallbacks .Values.issuer) -}}
{{- include "kedge.validateVault" (dict "vault" .Values.vault "trust" .Values.trust) -}}
{{- end -}}
{{- end -}}

{{- define "kedge.validateFallbacks" -}}
{{- $mode := (first (include "kedge.signers" . | fromJsonArray)).mode -}}
{{- if ne $mode "direct" -}}
{{- fail (printf "expected no fallbacks, as the CA of issuer %q does not sign each certificate itself, got %s: another can stand in only where it is asked for each" .Values.issuer (join ", " .Values.fallbacks)) -}}
{{- end -}}
{{- if has .Values.issuer .Values.fallbacks -}}
{{- fail (printf "expected fallbacks without the issuer itself, got %s" (join ", " .Values.fallbacks)) -}}
{{- end -}}
{{- $secrets := include "kedge.issuerSecrets" . | fromJsonArray -}}
{{- if ne (len $secrets) (len (uniq $secrets)) -}}
{{- fail (printf "expected local.secret and certManager.secret to be two Secrets, as both are fallbacks, got %q for both" .Values.local.secret) -}}
{{- end -}}
{{- end -}}

{{- define "kedge.validateVault" -}}
{{- $vault := .vault -}}
{{- if and (has $vault.auth.method (list "approle" "cert")) (not $vault.auth.secret) -}}
{{- fail (printf "expected vault.auth.secret, the name of a Secret, as vault.auth.method is %q, got none" $vault.auth.method) -}}
{{- end -}}
{{- if hasPrefix "http://" $vault.address -}}
{{- if not $vault.allowPlaintext -}}
{{- fail (printf "expected vault.address to begin with https://, got %q: or set vault.allowPlaintext, for a development server" $vault.address) -}}
{{- end -}}
{{- if not (or .trust.anchors .trust.configMap $vault.anchorSha256) -}}
{{- fail "expected trust.anchors, trust.configMap or vault.anchorSha256, as vault.address is without TLS, got none: whoever is on the way could show an anchor of its own" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Identity keeps a copy of its anchors in every namespace. One where the own ones are to be is another identity's. */}}
{{- define "kedge.validateAlone" -}}
{{- $present := lookup "v1" "ConfigMap" .Release.Namespace "kedge-trust-bundle" | default dict -}}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/managed-by" "" $present) "kedge-identity" -}}
{{- fail (printf "expected no ConfigMap kedge-trust-bundle of another Kedge in the namespace %q, got its copy: a cluster takes one Kedge, as each keeps its anchors in every namespace; once that one is gone, delete it" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
