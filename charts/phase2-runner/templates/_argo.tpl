{{/*
A generated file of files/argo or files/admission as an object of the release: (dict "root" $ "path" "files/argo/...").
It is loaded, changed where values say so and written again, and never a template of Helm: what it has in double braces is
Argo's.
*/}}
{{- define "phase2.argoObject" -}}
{{- $object := .root.Files.Get .path | fromYaml -}}
{{- $metadata := $object.metadata -}}
{{- if hasSuffix "AdmissionPolicy" $object.kind -}}
{{- $name := dict "root" .root "of" (trimPrefix "phase2-" $metadata.name) -}}
{{- $_ := set $metadata "name" (include "phase2.clusterName" $name) -}}
{{- else -}}
{{- $_ := set $metadata "namespace" .root.Release.Namespace -}}
{{- end -}}
{{- $own := dict "root" .root "scope" "cluster" "labels" $metadata.labels "annotations" $metadata.annotations -}}
{{- $_ := mergeOverwrite $metadata (include "phase2.metadata" $own | fromYaml) -}}
{{- toYaml $object -}}
{{- end -}}
