"""Generators and checks of the Kubernetes manifests: argo/, the Helm chart, and the overlays of k8s/."""
