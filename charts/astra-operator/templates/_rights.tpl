{{- /* Written by `cargo xtask generate` from src/rights.rs. Do not edit. */ -}}

{{- define "astra-operator.rights.watched" -}}
- apiGroups: ["astra.datastax.com"]
  resources:
    - astraaccesslists
    - astraprivateendpoints
    - astravpcpeerings
  verbs: [list, watch, patch]
- apiGroups: ["astra.datastax.com"]
  resources:
    - astraaccesslists/status
    - astraprivateendpoints/status
    - astravpcpeerings/status
  verbs: [update]
- apiGroups: [""]
  resources:
    - secrets
  {{- with .Values.rbac.secretNames }}
  resourceNames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  verbs: [get]
- apiGroups: ["events.k8s.io"]
  resources:
    - events
  verbs: [create]
{{- end }}

{{- define "astra-operator.rights.lease" -}}
- apiGroups: ["coordination.k8s.io"]
  resources:
    - leases
  resourceNames: [{{ include "astra-operator.leaseName" . }}]
  verbs: [get, update]
- apiGroups: ["coordination.k8s.io"]
  resources:
    - leases
  verbs: [create]
{{- end }}

{{- define "astra-operator.rights.viewers" -}}
- apiGroups: ["astra.datastax.com"]
  resources:
    - astraaccesslists
    - astraprivateendpoints
    - astravpcpeerings
    - astraaccesslists/status
    - astraprivateendpoints/status
    - astravpcpeerings/status
  verbs: [get, list, watch]
{{- end }}

{{- define "astra-operator.rights.editors" -}}
- apiGroups: ["astra.datastax.com"]
  resources:
    - astraaccesslists
    - astraprivateendpoints
    - astravpcpeerings
  verbs: [create, update, patch, delete, deletecollection]
{{- end }}
