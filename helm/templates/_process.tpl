{{/* What the pods of both processes have in common; takes (list $ "component"). */}}
{{- define "kedge.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
serviceAccountName: kedge-{{ $component }}
automountServiceAccountToken: true
# Services of the namespace are no settings.
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
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
# A processor that is short of time is no reason to start anew.
livenessProbe:
  httpGet: { path: /live, port: admin }
  initialDelaySeconds: 10
  timeoutSeconds: 10
# Asked often, as a rollout waits for it; given up late, as whoever is not ready is no longer found.
readinessProbe:
  httpGet: { path: /ready, port: admin }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 7
resources:
  {{- toYaml (index $root.Values $component).resources | nindent 2 }}
{{- end -}}

{{/* Settings of both processes. */}}
{{- define "kedge.env" -}}
- name: KEDGE_CONTROL_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: KEDGE_TRUST_DOMAIN
  value: {{ .Values.trustDomain | quote }}
- name: KEDGE_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
{{- end -}}

{{/* A ServiceAccount whose token only gets into pods that say so; takes (list $ "component"). */}}
{{- define "kedge.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "kedge.metadata" (list $root $component (printf "kedge-%s" $component)) | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{/* A headless Service: proxies choose among the replicas themselves. Takes (list $ "component" "name" port). */}}
{{- define "kedge.service" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "kedge.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  selector:
    {{- include "kedge.selector" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ index . 3 }}
{{- end -}}

{{/* What gives a role to a process; takes (list $ "component" "Role" or "ClusterRole"). */}}
{{- define "kedge.roleBinding" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $cluster := eq (index . 2) "ClusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ index . 2 }}Binding
metadata:
  {{- if $cluster }}
  {{- include "kedge.clusterMetadata" (list $root $component) | nindent 2 }}
  {{- else }}
  {{- include "kedge.metadata" (list $root $component (printf "kedge-%s" $component)) | nindent 2 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 2 }}
  name: {{ if $cluster }}{{ include "kedge.clusterName" (list $root $component) }}{{ else }}kedge-{{ $component }}{{ end }}
subjects:
  - kind: ServiceAccount
    name: kedge-{{ $component }}
    namespace: {{ $root.Release.Namespace | quote }}
{{- end -}}

{{/* A Deployment up to the containers of its pods; takes (list $ "component"). */}}
{{- define "kedge.deployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "kedge.metadata" (list $root $component (printf "kedge-%s" $component)) | nindent 2 }}
spec:
  replicas: {{ (index $root.Values $component).replicas }}
  # The old replica stays until the new one is ready.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- include "kedge.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "kedge.labels" . | nindent 8 }}
      {{- with (index $root.Values $component).podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "kedge.pod" . | nindent 6 }}
{{- end -}}
