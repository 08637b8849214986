"""The generated files of the chart as Python: one concept per module, from the manifests that kustomize and Argo use."""
