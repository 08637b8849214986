"""Training one run in several processes that share each batch."""
