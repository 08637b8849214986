{{/*
Fit a pod of files/pods to the values, in place: (dict "root" $ "spec" PODSPEC "gpus" 0).
*/}}
{{- define "phase2.fit" -}}
{{- $values := .root.Values -}}
{{- $resources := dict "requests" (dict "cpu" $values.pods.cpu "memory" $values.pods.memory) "limits" (dict "memory" $values.pods.memory) -}}
{{- range $container := concat (.spec.initContainers | default list) .spec.containers -}}
{{- $_ := set $container "image" (include "phase2.image" $.root) -}}
{{- $_ := set $container "imagePullPolicy" $values.image.pullPolicy -}}
{{- $own := deepCopy $resources -}}
{{- if and $.gpus (eq $container.name "train") -}}
{{- $_ := set $own.requests "nvidia.com/gpu" (toString $.gpus) -}}
{{- $_ := set $own.limits "nvidia.com/gpu" (toString $.gpus) -}}
{{- end -}}
{{- $_ := set $container "resources" $own -}}
{{- if $values.image.digest -}}
{{- $_ := set $container "env" (append $container.env (dict "name" "PHASE2_IMAGE_DIGEST" "value" $values.image.digest)) -}}
{{- end -}}
{{- end -}}
{{- include "phase2.cache" (dict "root" .root "volumes" .spec.volumes) -}}
{{- with $values.pods.nodeSelector -}}{{- $_ := set $.spec "nodeSelector" . -}}{{- end -}}
{{- with $values.pods.tolerations -}}{{- $_ := set $.spec "tolerations" . -}}{{- end -}}
{{- end -}}

{{/* Give a pod a cache of its own where none is shared: (dict "root" $ "volumes" LIST). */}}
{{- define "phase2.cache" -}}
{{- if not .root.Values.dataCache.enabled -}}
{{- range $volume := .volumes -}}
{{- if eq $volume.name "cache" -}}
{{- $_ := unset $volume "persistentVolumeClaim" -}}
{{- $_ := set $volume "emptyDir" dict -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What is said of a run in labels: (dict "root" $ "metadata" METADATA), in place. */}}
{{- define "phase2.run" -}}
{{- $run := .root.Values.nightly -}}
{{- $labels := dict "phase2.dev/algorithm" $run.algorithm "phase2.dev/mode" $run.level "phase2.dev/level" $run.level -}}
{{- $_ := set .metadata "labels" (mergeOverwrite (dict) .root.Values.commonLabels .metadata.labels $labels) -}}
{{- $command := printf "phase2 train --algorithm %s --level %s" $run.algorithm $run.level -}}
{{- $_ := set .metadata "annotations" (dict "phase2.dev/command" $command) -}}
{{- end -}}
