"""Generator of the chart's files that have a source elsewhere; its templates are written by hand.

``python -m tools.manifests.chart`` writes them; with ``--check`` it fails where one is stale. ``argo_files`` are those
of ``argo/``, ``levels`` the closed lists of the levels table, ``values``, ``rules`` and ``schema`` make
values.schema.json of values.yaml, and ``readme`` the page of its values. ``package`` packages the chart for one image.
"""
