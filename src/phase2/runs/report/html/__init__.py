"""The report of runs as one page of HTML: what is read, what it says, and what it draws.

Pure functions turn a :class:`~phase2.runs.report.html.inputs.RunInput` into values for the template (facts, tables,
sentences) and into data for its scripts (points, curves, structures); ``page.py`` puts them together.
"""
