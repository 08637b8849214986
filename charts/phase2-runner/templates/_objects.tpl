{{/*
An object of files/ in the release: (dict "root" $ "file" "k8s/role-phase2-submitter").
The files are those of k8s/ and argo/. They are loaded, changed where values say so and written again, and never taken for
templates: what stands in them in double braces is Argo's.
*/}}
{{- define "phase2.object" -}}
{{- $one := .root.Files.Get (printf "files/%s.yaml" .file) | fromYaml -}}
{{- $metadata := get $one "metadata" -}}
{{- if has $one.kind (list "PriorityClass" "ValidatingAdmissionPolicy" "ValidatingAdmissionPolicyBinding") -}}
{{- $_ := set $metadata "name" (printf "%s%s" $metadata.name .root.Values.clusterSuffix) -}}
{{- else -}}
{{- $_ := set $metadata "namespace" .root.Release.Namespace -}}
{{- end -}}
{{- $own := include "phase2.own" .root | fromYaml -}}
{{- $_ := set $metadata "labels" (mergeOverwrite (dict) .root.Values.commonLabels ($metadata.labels | default dict) $own) -}}
{{- toYaml $one -}}
{{- end -}}

{{/* The labels of an object that the chart alone has. */}}
{{- define "phase2.labels" -}}
{{- mergeOverwrite (dict) .Values.commonLabels (include "phase2.own" . | fromYaml) | toYaml -}}
{{- end -}}

{{/* The labels that say where an object comes from; those that pods are found by stay as they are. */}}
{{- define "phase2.own" -}}
app.kubernetes.io/part-of: phase2
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* Whether Argo's objects are installed: "true" or nothing. */}}
{{- define "phase2.argo" -}}
{{- $there := .Capabilities.APIVersions.Has "argoproj.io/v1alpha1/WorkflowTemplate" -}}
{{- if or (eq .Values.argo.enabled "always") (and (eq .Values.argo.enabled "auto") $there) -}}true{{- end -}}
{{- end -}}

{{/* The image that trains. */}}
{{- define "phase2.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Repositories whose images may run, as a list of CEL. */}}
{{- define "phase2.approved" -}}
['{{ join "', '" (.Values.admission.images | default (list .Values.image.repository)) }}']
{{- end -}}

{{/* Whether images must be named by their digest, in CEL. */}}
{{- define "phase2.byDigest" -}}
{{- $asked := .Values.admission.byDigest -}}
{{- or (eq $asked "always") (and (eq $asked "auto") (ne .Values.image.digest "")) -}}
{{- end -}}

{{/* Where the store is, as an address; empty is AWS. */}}
{{- define "phase2.endpoint" -}}
{{- if .Values.minio.enabled -}}
http://minio.{{ .Release.Namespace }}.svc.cluster.local:9000
{{- else -}}
{{- .Values.store.endpoint | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{/* The bucket of the store, without prefix. */}}
{{- define "phase2.bucket" -}}
{{- regexReplaceAll "^s3://([^/]+).*$" .Values.store.url "${1}" -}}
{{- end -}}

{{/* The secret of the local MinIO in base64: what was given, what there is already, or a random one, made once. */}}
{{- define "phase2.minioSecret" -}}
{{- $given := .Values.minio.secretAccessKey -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace "minio-root" -}}
{{- if $given -}}
{{- b64enc $given -}}
{{- else if $there -}}
{{- get $there.data "MINIO_ROOT_PASSWORD" -}}
{{- else -}}
{{- if not (hasKey .Values.minio "made") -}}
{{- $_ := set .Values.minio "made" (randAlphaNum 32 | b64enc) -}}
{{- end -}}
{{- .Values.minio.made -}}
{{- end -}}
{{- end -}}
