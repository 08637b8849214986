{{/*
A generated file of files/argo as an object of the release: (dict "root" $ "path" "files/argo/...").
It is loaded, changed where values say so and written again, and never a template of Helm: what it has in double braces is
Argo's.
*/}}
{{- define "phase2.argoObject" -}}
{{- $object := .root.Files.Get .path | fromYaml -}}
{{- $metadata := $object.metadata -}}
{{- if eq $object.kind "ValidatingAdmissionPolicy" -}}
{{- $_ := set $metadata "name" (printf "%s%s" $metadata.name .root.Values.clusterSuffix) -}}
{{- else -}}
{{- $_ := set $metadata "namespace" .root.Release.Namespace -}}
{{- end -}}
{{- $labels := include "phase2.releaseLabels" .root | fromYaml -}}
{{- $_ := set $metadata "labels" (mergeOverwrite (dict) .root.Values.commonLabels ($metadata.labels | default dict) $labels) -}}
{{- toYaml $object -}}
{{- end -}}
