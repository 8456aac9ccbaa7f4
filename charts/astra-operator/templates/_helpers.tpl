{{/* The chart's name. */}}
{{- define "astra-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of objects: the release's, which need not repeat the chart's. */}}
{{- define "astra-operator.fullname" -}}
{{- $name := include "astra-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "astra-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* The Lease that the pods of this release share. */}}
{{- define "astra-operator.leaseName" -}}
{{- include "astra-operator.fullname" . }}
{{- end }}

{{- define "astra-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "astra-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* What a selector holds on to: never changed, for a Deployment's cannot be. */}}
{{- define "astra-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "astra-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Where the user's labels and ours have one name, a selector's stay and the user's others win. */}}
{{- define "astra-operator.labels" -}}
{{- $chart := printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- $own := dict
      "app.kubernetes.io/version" .Chart.AppVersion
      "app.kubernetes.io/component" "operator"
      "app.kubernetes.io/part-of" "astra-operator"
      "app.kubernetes.io/managed-by" .Release.Service
      "helm.sh/chart" $chart }}
{{- $selector := include "astra-operator.selectorLabels" . | fromYaml }}
{{- toYaml (merge $selector (deepCopy .Values.commonLabels) $own) }}
{{- end }}

{{- define "astra-operator.podLabels" -}}
{{- $selector := include "astra-operator.selectorLabels" . | fromYaml }}
{{- toYaml (merge $selector (deepCopy .Values.podLabels) (include "astra-operator.labels" . | fromYaml)) }}
{{- end }}

{{/* A digest names exactly one image; the tag stays for people. */}}
{{- define "astra-operator.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- $digest := ternary (printf "@%s" .Values.image.digest) "" (ne .Values.image.digest "") }}
{{- printf "%s:%s%s" .Values.image.repository $tag $digest }}
{{- end }}

{{- define "astra-operator.crds.annotations" -}}
{{- $annotations := dict }}
{{- if .Values.crds.keep }}
{{- $_ := set $annotations "helm.sh/resource-policy" "keep" }}
{{- end }}
{{- with merge (deepCopy .Values.crds.annotations) $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a schema cannot say. */}}
{{- define "astra-operator.validate" -}}
{{- if not .Values.image.repository }}
{{- fail "\n\nimage.repository is not set: there is no public image of the operator yet.\nBuild it from the Dockerfile, push it to a registry of yours, and install with\n  --set image.repository=registry.example.com/astra-operator" }}
{{- end }}
{{- if and (not .Values.leaderElection.enabled) (gt (int .Values.replicaCount) 1) }}
{{- fail "\n\nleaderElection.enabled is false and replicaCount is more than 1: several pods would all write to Astra.\nSet replicaCount=1, or leave the election on." }}
{{- end }}
{{- if and .Values.trustBundle.configMap .Values.trustBundle.secret }}
{{- fail "\n\ntrustBundle.configMap and trustBundle.secret are both set: name one of them." }}
{{- end }}
{{- end }}
