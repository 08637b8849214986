"""Messages to people at the end of a run, a sweep, a study or a workflow."""
