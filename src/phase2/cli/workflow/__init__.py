"""``phase2 workflow``: commands of workflow steps other than training and prediction.

Values come from environment variables that the workflow sets, where an empty one counts as not given; results are
written to files, which the workflow reads as parameters and artifacts.
"""
