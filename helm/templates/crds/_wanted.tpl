{{/*
Whether this release installs a definition, by `crds.install`. Takes (list $ "name.of.the.definition"). With "absent" it
does where the cluster has none, or the one of this release; a cluster that can be asked has the namespace kube-system.
Where none can be (`helm template`) nothing is known of what others have installed, and nothing is rendered.
*/}}
{{- define "kedge.crds.wanted" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if eq $root.Values.crds.install "always" -}}
true
{{- else if and (eq $root.Values.crds.install "absent") (lookup "v1" "Namespace" "" "kube-system") -}}
{{- $present := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name | default dict -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $present -}}
{{- $place := dig "metadata" "annotations" "meta.helm.sh/release-namespace" "" $present -}}
{{- if or (empty $present) (and (eq $owner $root.Release.Name) (eq $place $root.Release.Namespace)) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}
