"""How a run reaches Kubernetes: what is asked, the plan, the Job, and what became of it. Starts without torch."""
