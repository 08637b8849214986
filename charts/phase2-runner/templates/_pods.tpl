{{/*
The pods that the chart starts itself: the nightly run, the clean-up and the test. They are the pods of `phase2 submit`,
which tests/chart compares them with, field by field.
*/}}

{{/* Fields of a pod's specification besides its containers. */}}
{{- define "phase2.pod" -}}
restartPolicy: Never
serviceAccountName: phase2-runner
{{- include "phase2.pullSecrets" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 300
{{ include "phase2.podSecurity" . }}
{{- include "phase2.placement" . }}
{{- $folder := dict }}
{{- with .Values.pods.workSizeLimit }}{{ $folder = dict "sizeLimit" (include "phase2.quantity" .) }}{{ end }}
volumes:
- name: work
  emptyDir: {{ toJson $folder }}
- name: cache
  {{- if .Values.dataCache.enabled }}
  persistentVolumeClaim:
    claimName: phase2-data-cache
  {{- else }}
  emptyDir: {{ toJson $folder }}
  {{- end }}
- name: tmp
  emptyDir: {}
- name: shm
  emptyDir:
    medium: Memory
- name: ca
  configMap:
    name: phase2-ca
    optional: true
{{- end -}}

{{/* Who the pod is: a user with a number, as Pod Security's level restricted has it. */}}
{{- define "phase2.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* Where the pod may run, and how nodes run it. */}}
{{- define "phase2.placement" -}}
{{- with .Values.pods.runtimeClass }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pods.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pods.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
A container that runs phase2:
(dict "root" $ "name" "train" "args" (list "train") "runId" "metadata.uid" "gpus" 0).
runId is the field of the pod that is the run's id; without it the container is no run.
*/}}
{{- define "phase2.container" -}}
{{- $values := .root.Values -}}
name: {{ .name }}
image: {{ include "phase2.image" .root | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
{{- with .command }}
command: {{ toJson . }}
{{- end }}
args:
{{- range .args }}
- {{ . | quote }}
{{- end }}
workingDir: /work
env:
{{- with .runId }}
- name: PHASE2_RUN_ID
  valueFrom:
    fieldRef:
      fieldPath: {{ . }}
{{- end }}
- name: PHASE2_CACHE_DIR
  value: /work/cache
- name: PHASE2_TERMINATION_LOG
  value: /dev/termination-log
- name: HOME
  value: /tmp
- name: OMP_NUM_THREADS # as many as cores are asked for
  valueFrom:
    resourceFieldRef:
      resource: requests.cpu
{{- if .gpus }}
- name: PHASE2_GPUS
  value: {{ .gpus | quote }}
{{- end }}
- name: PHASE2_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: PHASE2_POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: PHASE2_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
{{- range $variable := list "PHASE2_METRICS_PORT metrics-port" "PHASE2_STALL_MINUTES stall-minutes" "PHASE2_LOG_FORMAT log-format" "PHASE2_TRACK track" }}
{{- $words := splitList " " $variable }}
- name: {{ first $words }}
  valueFrom:
    configMapKeyRef:
      name: phase2-runs
      key: {{ last $words }}
      optional: true
{{- end }}
{{- range $name := list "MLFLOW_TRACKING_URI" "MLFLOW_TRACKING_USERNAME" "MLFLOW_TRACKING_PASSWORD" "MLFLOW_TRACKING_TOKEN" "MLFLOW_EXPERIMENT_NAME" "WANDB_API_KEY" "WANDB_BASE_URL" "WANDB_ENTITY" "WANDB_PROJECT" "PHASE2_NOTIFY" "PHASE2_NOTIFY_ON" }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: phase2-services
      key: {{ $name }}
      optional: true
{{- end }}
{{- with $values.image.digest }}
- name: PHASE2_IMAGE_DIGEST
  value: {{ . | quote }}
{{- end }}
ports:
- name: metrics
  containerPort: 9108
envFrom:
- configMapRef:
    name: phase2-store
- secretRef:
    name: {{ .secret | default (include "phase2.storeSecret" .root) }}
{{- $memory := include "phase2.quantity" $values.pods.memory }}
{{- $disk := include "phase2.quantity" $values.pods.ephemeralStorage }}
resources:
  requests:
    cpu: {{ include "phase2.quantity" $values.pods.cpu | quote }}
    memory: {{ $memory | quote }}
    {{- with $disk }}
    ephemeral-storage: {{ . | quote }}
    {{- end }}
    {{- with .gpus }}
    {{ $values.pods.gpuResource }}: {{ . | quote }}
    {{- end }}
  limits:
    memory: {{ $memory | quote }}
    {{- with $disk }}
    ephemeral-storage: {{ . | quote }}
    {{- end }}
    {{- with .gpus }}
    {{ $values.pods.gpuResource }}: {{ . | quote }}
    {{- end }}
{{ include "phase2.containerSecurity" .root }}
terminationMessagePath: /dev/termination-log
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
- name: work
  mountPath: /work
- name: cache
  mountPath: /work/cache
- name: tmp
  mountPath: /tmp
- name: shm
  mountPath: /dev/shm
- name: ca
  mountPath: /etc/phase2/ca
  readOnly: true
{{- end -}}

{{/* What a container may do: nothing that needs a privilege, on a root file system that it only reads. */}}
{{- define "phase2.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* How often a pod is tried again, and which exit codes are final: fields of a Job's specification. */}}
{{- define "phase2.job" -}}
completions: 1
parallelism: 1
backoffLimit: 2
activeDeadlineSeconds: 21600
ttlSecondsAfterFinished: 604800
podReplacementPolicy: Failed
podFailurePolicy:
  rules:
  - action: FailJob # a request, data or a model file that is wrong stays wrong
    onExitCodes:
      containerName: train
      operator: In
      values: [2, 3, 4]
  - action: Ignore
    onPodConditions:
    - type: DisruptionTarget
      status: "True"
{{- end -}}

{{/* Labels of the nightly run, on its Job and on its pod: (dict "root" $ "queue" "research"). */}}
{{- define "phase2.runLabels" -}}
{{- $run := .root.Values.nightly -}}
{{- $labels := dict
  "app.kubernetes.io/name" "phase2"
  "app.kubernetes.io/component" "training"
  "app.kubernetes.io/managed-by" "phase2"
  "app.kubernetes.io/part-of" "phase2"
  "phase2.dev/algorithm" $run.algorithm
  "phase2.dev/mode" $run.level
  "phase2.dev/level" $run.level
-}}
{{- with .queue -}}{{- $_ := set $labels "kueue.x-k8s.io/queue-name" . -}}{{- end -}}
{{- mergeOverwrite (dict) .root.Values.commonLabels $labels | toYaml -}}
{{- end -}}
