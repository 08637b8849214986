{{/* Labels of an object: those of the release, and commonLabels. */}}
{{- define "phase2.labels" -}}
{{- mergeOverwrite (dict) .Values.commonLabels (include "phase2.releaseLabels" . | fromYaml) | toYaml -}}
{{- end -}}

{{/* Labels of an object beside app.kubernetes.io/name and component, which it sets itself. */}}
{{- define "phase2.moreLabels" -}}
{{- omit (include "phase2.labels" . | fromYaml) "app.kubernetes.io/name" "app.kubernetes.io/component" | toYaml -}}
{{- end -}}

{{/* The labels by which an object is known as Helm's. */}}
{{- define "phase2.releaseLabels" -}}
app.kubernetes.io/part-of: phase2
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* Labels of the pods that reach the store; network policies, quotas and `phase2 status` find them by these. */}}
{{- define "phase2.podLabels" -}}
app.kubernetes.io/name: phase2
app.kubernetes.io/component: training
{{- end -}}

{{/* The image that trains. */}}
{{- define "phase2.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether Argo's objects are installed: "true" or nothing. */}}
{{- define "phase2.argo" -}}
{{- $available := .Capabilities.APIVersions.Has "argoproj.io/v1alpha1/WorkflowTemplate" -}}
{{- if or (eq .Values.argo.enabled "always") (and (eq .Values.argo.enabled "auto") $available) -}}true{{- end -}}
{{- end -}}

{{/* Address of the store; empty is AWS. */}}
{{- define "phase2.endpoint" -}}
{{- if .Values.minio.enabled -}}
http://minio.{{ .Release.Namespace }}.svc.cluster.local:9000
{{- else -}}
{{- .Values.store.endpoint | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{/* Bucket of the store, without prefix. */}}
{{- define "phase2.bucket" -}}
{{- regexReplaceAll "^s3://([^/]+).*$" .Values.store.url "${1}" -}}
{{- end -}}

{{/* Repositories whose images may run, as a list of CEL. */}}
{{- define "phase2.approved" -}}
['{{ join "', '" (.Values.admission.images | default (list .Values.image.repository)) }}']
{{- end -}}

{{/* Whether images must be named by their digest: "true" or "false". */}}
{{- define "phase2.byDigest" -}}
{{- $asked := .Values.admission.byDigest -}}
{{- or (eq $asked "always") (and (eq $asked "auto") (ne .Values.image.digest "")) -}}
{{- end -}}

{{/* Secret key of the local MinIO in base64: the given one, the one that is there, or a random one, made once. */}}
{{- define "phase2.minioSecret" -}}
{{- $given := .Values.minio.secretAccessKey -}}
{{- $existing := lookup "v1" "Secret" .Release.Namespace "minio-root" -}}
{{- if $given -}}
{{- b64enc $given -}}
{{- else if $existing -}}
{{- get $existing.data "MINIO_ROOT_PASSWORD" -}}
{{- else -}}
{{- if not (hasKey .Values.minio "made") -}}
{{- $_ := set .Values.minio "made" (randAlphaNum 32 | b64enc) -}}
{{- end -}}
{{- .Values.minio.made -}}
{{- end -}}
{{- end -}}
