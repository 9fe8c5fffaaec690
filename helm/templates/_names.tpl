{{/* Labels of everything in the release; takes (list $ "component"). */}}
{{- define "kedge.labels" -}}
{{- $root := index . 0 -}}
{{ include "kedge.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels that never change, by which Services and Deployments find their pods; takes (list $ "component"). */}}
{{- define "kedge.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: kedge
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "kedge.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* A name in the cluster that is one for the whole cluster: two releases must not share it. */}}
{{- define "kedge.clusterName" -}}
{{- $root := index . 0 -}}
kedge-{{ index . 1 }}-{{ $root.Release.Namespace }}
{{- end -}}

{{/* The metadata of an object in the release's namespace; takes (list $ "component" "name"). */}}
{{- define "kedge.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 2 | quote }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "kedge.labels" . | nindent 2 }}
{{- end -}}

{{/* The metadata of an object of the whole cluster; takes (list $ "component"). */}}
{{- define "kedge.clusterMetadata" -}}
name: {{ include "kedge.clusterName" . }}
labels:
  {{- include "kedge.labels" . | nindent 2 }}
{{- end -}}
