{{/*
Whether this release installs a definition: not where `crds.install` is false, and never over one that is there and
belongs to somebody else. Takes (list $ "name.of.the.definition"). Without a cluster to ask (`helm template`) nothing
is known of others, and the definition is rendered.
*/}}
{{- define "kedge.crds.wanted" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if $root.Values.crds.install -}}
{{- $present := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name | default dict -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $present -}}
{{- $place := dig "metadata" "annotations" "meta.helm.sh/release-namespace" "" $present -}}
{{- if or (empty $present) (and (eq $owner $root.Release.Name) (eq $place $root.Release.Namespace)) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}
