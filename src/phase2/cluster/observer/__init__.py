"""What ``phase2 status`` says of the runs of a namespace, as Events of Kubernetes and metrics of Prometheus."""
