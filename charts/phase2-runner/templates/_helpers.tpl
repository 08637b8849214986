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

{{/*
Whether Helm talks to a cluster that has no Argo: "true" or nothing. Every cluster serves APIServices, and `helm template`
alone knows of none. For refusals and notes only: what is rendered never depends on it.
*/}}
{{- define "phase2.argoMissing" -}}
{{- $served := .Capabilities.APIVersions -}}
{{- if and ($served.Has "apiregistration.k8s.io/v1/APIService") (not ($served.Has "argoproj.io/v1alpha1/WorkflowTemplate")) -}}true{{- end -}}
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
