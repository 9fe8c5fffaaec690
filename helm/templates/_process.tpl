{{/* What the pods of both processes have in common; takes (list $ "component"). */}}
{{- define "kedge.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
serviceAccountName: kedge-{{ $component }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
# Longer than the process gives its streams to end.
terminationGracePeriodSeconds: 45
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What the containers of both processes have in common; takes (list $ "component" adminPort). */}}
{{- define "kedge.container" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
name: {{ $component }}
image: {{ include "kedge.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [{{ $component }}]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
livenessProbe:
  httpGet: { path: /live, port: admin }
  initialDelaySeconds: 10
readinessProbe:
  httpGet: { path: /ready, port: admin }
  periodSeconds: 5
resources:
  {{- toYaml (index $root.Values $component).resources | nindent 2 }}
{{- end -}}

{{/* Settings of both processes. */}}
{{- define "kedge.env" -}}
- name: KEDGE_CONTROL_NAMESPACE
  value: {{ .Release.Namespace }}
- name: KEDGE_TRUST_DOMAIN
  value: {{ .Values.trustDomain | quote }}
- name: KEDGE_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
{{- end -}}
