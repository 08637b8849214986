{{/*
Namespace, labels and annotations of an object: (dict "root" $ "labels" (dict) "annotations" (dict) "scope" "cluster").
commonLabels and commonAnnotations win over nothing. Only what is in no namespace has a scope.
*/}}
{{- define "phase2.metadata" -}}
{{- if ne (.scope | default "") "cluster" -}}
namespace: {{ .root.Release.Namespace | quote }}
{{ end -}}
{{- $release := include "phase2.releaseLabels" .root | fromYaml -}}
{{- $labels := mergeOverwrite (dict) .root.Values.commonLabels (.labels | default dict) $release -}}
{{- include "phase2.podMetadata" (dict "root" .root "labels" $labels "annotations" .annotations) -}}
{{- end -}}

{{/* Labels and annotations of a pod, or of an object that is made by one of the release: (dict "root" $ "labels" (dict)). */}}
{{- define "phase2.podMetadata" -}}
labels:
  {{- mergeOverwrite (dict) .root.Values.commonLabels .labels | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Beginning of the names that no program looks up. phase2-runner, phase2-store, phase2-s3 and the others that
docs/how-to/helm.md lists are agreed with `phase2 submit` and the workflows, and never change.
*/}}
{{- define "phase2.name" -}}
{{- .Values.nameOverride | default "phase2" -}}
{{- end -}}

{{/* Name of an object that is in no namespace, where every release has its own: (dict "root" $ "of" "training"). */}}
{{- define "phase2.clusterName" -}}
{{- $place := .root.Release.Namespace -}}
{{- $suffix := .root.Values.clusterSuffix | default (ternary "" (printf "-%s" $place) (eq $place "phase2")) -}}
{{- printf "%s-%s%s" (include "phase2.name" .root) .of $suffix -}}
{{- end -}}

{{/* A quantity as text. Helm reads numbers of files as floats, which templates print as 1e+06. */}}
{{- define "phase2.quantity" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* A quantity of memory as the workflows take it, with its unit: a number is bytes. */}}
{{- define "phase2.memory" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ printf "%dMi" (div (add (int64 .) 1048575) 1048576) }}{{ end -}}
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

{{/* Registry that images come from: that of a chart above this one, or of this one; empty where repositories name it. */}}
{{- define "phase2.repository" -}}
{{- $registry := (.Values.global | default dict).imageRegistry | default .Values.image.registry -}}
{{- with $registry }}{{ . | trimSuffix "/" }}/{{ end }}{{ .Values.image.repository -}}
{{- end -}}

{{/* The image that trains. */}}
{{- define "phase2.image" -}}
{{- include "phase2.repository" . -}}
{{- with .Values.image -}}
{{- if .digest -}}@{{ .digest }}{{- else -}}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* The image of the local MinIO. */}}
{{- define "phase2.minioImage" -}}
{{- with (.Values.global | default dict).imageRegistry }}{{ . | trimSuffix "/" }}/{{ end }}{{ .Values.minio.image -}}
{{- end -}}

{{/* Secrets with the password of the registry, as a field of a pod or of a service account. */}}
{{- define "phase2.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Secret with the keys of the store: the one that is there, or the one that the chart makes. */}}
{{- define "phase2.storeSecret" -}}
{{- $local := and .Values.minio.enabled (not .Values.minio.existingSecret) -}}
{{- if $local }}phase2-s3{{ else }}{{ .Values.store.existingSecret | default "phase2-s3" }}{{ end -}}
{{- end -}}

{{/* Secret with the keys that remove old runs. */}}
{{- define "phase2.retentionSecret" -}}
{{- .Values.retention.existingSecret | default (include "phase2.storeSecret" .) -}}
{{- end -}}

{{/* Secret with the keys that write the page of all runs. */}}
{{- define "phase2.pageSecret" -}}
{{- .Values.page.existingSecret | default (include "phase2.storeSecret" .) -}}
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

{{/* Beginning of the keys of the store in its bucket: nothing, or a prefix with its slash. */}}
{{- define "phase2.prefix" -}}
{{- with regexReplaceAll "^s3://[^/]+/*" .Values.store.url "" | trimSuffix "/" }}{{ . }}/{{ end -}}
{{- end -}}

{{/* Texts without quotation marks as a list of CEL. */}}
{{- define "phase2.celList" -}}
[{{ range $index, $text := . }}{{ if $index }}, {{ end }}'{{ $text }}'{{ end }}]
{{- end -}}

{{/* What the rows of the table have for a field, as JSON: (dict "root" $ "field" "gpuResource"). */}}
{{- define "phase2.tableField" -}}
{{- $found := list -}}
{{- range $row := .root.Values.runs.defaults }}{{ range $fields := $row }}
{{- with get ($fields | default dict) $.field }}{{- $found = append $found . -}}{{- end -}}
{{- end }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Runtime classes that pods may name, as a list of CEL: those of the table. */}}
{{- define "phase2.runtimeClasses" -}}
{{- $names := include "phase2.tableField" (dict "root" . "field" "runtimeClass") | fromJsonArray -}}
{{- include "phase2.celList" ($names | uniq | sortAlpha) -}}
{{- end -}}

{{/* Names of GPUs that pods may ask for besides NVIDIA's own, as a list of CEL: those of the table, and of values. */}}
{{- define "phase2.gpus" -}}
{{- $names := include "phase2.tableField" (dict "root" . "field" "gpuResource") | fromJsonArray -}}
{{- $names = concat .Values.admission.gpus (list .Values.pods.gpuResource) $names -}}
{{- include "phase2.celList" (without ($names | uniq | sortAlpha) "nvidia.com/gpu") -}}
{{- end -}}

{{/* Repositories whose images may run, as a list of CEL. */}}
{{- define "phase2.approved" -}}
{{- include "phase2.celList" (.Values.admission.images | default (list (include "phase2.repository" .))) -}}
{{- end -}}

{{/* Whether images must be named by their digest: "true" or "false". */}}
{{- define "phase2.byDigest" -}}
{{- $asked := .Values.admission.byDigest -}}
{{- or (eq $asked "always") (and (eq $asked "auto") (ne .Values.image.digest "")) -}}
{{- end -}}

{{/* What runs get by algorithm and level; the queue and the priority of the release where no row gives another. */}}
{{- define "phase2.runDefaults" -}}
{{- $table := deepCopy .Values.runs.defaults -}}
{{- $common := dict -}}
{{- with .Values.kueue.queue }}{{- $_ := set $common "queue" . -}}{{- end -}}
{{- if .Values.priorityClass.create -}}
{{- $_ := set $common "priority" (include "phase2.clusterName" (dict "root" . "of" "training")) -}}
{{- end -}}
{{- $all := get $table "all" | default dict -}}
{{- $row := mergeOverwrite $common (get $all "all" | default dict) -}}
{{- $_ := set $table "all" (mergeOverwrite (dict) $all (dict "all" $row)) -}}
{{- toYaml $table -}}
{{- end -}}

{{- /* Egress to the API server, by its ports alone: its addresses are those of the cluster. */}}
{{- define "phase2.apiServer" -}}
- ports:
  {{- range .Values.network.apiServerPorts }}
  - {protocol: TCP, port: {{ . }}}
  {{- end }}
{{- end }}
