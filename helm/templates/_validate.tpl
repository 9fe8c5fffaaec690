{{/* What no schema can say: settings that are well-formed each and wrong together. */}}
{{- define "kedge.validate" -}}
{{- $local := .Values.local -}}
{{- if and $local.bootstrap (eq $local.secret $local.anchorSecret) -}}
{{- fail (printf "expected local.secret and local.anchorSecret to be two Secrets, got %q for both: whoever may read the issuer's key must not read the anchor's" $local.secret) -}}
{{- end -}}
{{- end -}}
