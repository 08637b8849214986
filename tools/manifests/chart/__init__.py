"""The generated files of the chart: one concept per module, from the manifests that kustomize and Argo use."""
