"""The report of a run: figures, tables of errors, hand-off page, model card."""
