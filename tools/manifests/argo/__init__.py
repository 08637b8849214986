"""Generator of ``argo/``: the workflows as typed objects of hera, built from the table of levels.

``python -m tools.manifests.argo`` writes the files; with ``--check`` it fails where one is stale. The modules, from the
inside out: ``parameters`` (what ``-p name=value`` may say), ``pods`` and ``retries`` (what all pods share), ``calls``
(how steps follow each other), ``steps`` and ``training`` (the templates that become pods), ``workflows`` (the
WorkflowTemplates), ``submissions`` (the Workflows and CronWorkflows that use them), ``admission`` (what the API server
takes), ``cluster`` (what an administrator installs once), ``serialization``, ``comments`` and ``files``.

To add a parameter of a training request, as ``patience`` was:

1. Describe it in ``parameters.py``: ``PATIENCE = Parameter("patience", "", "Epochs ...", shape="^[0-9]{0,9}$")``. Every
   parameter has ``choices`` or a ``shape``, since the admission policy looks at each value. A shape has neither ``'``
   nor a backslash in it, and lets no line break through.
2. Name it in ``REQUEST`` there. The pods of ``phase2-train`` get it as ``PHASE2_PATIENCE`` (the variable of ``phase2
   train --patience``), and the template, the thin Workflow and the policy list it. For sweeps and ensembles, name it in
   ``SWEEP``, ``ENSEMBLE`` and in ``SHARED``, or in ``VARIED`` where it takes a list.
3. Run ``make reference``. Where ``phase2 submit --backend argo`` is to fill it in, add it to ``workflow_parameters`` in
   ``phase2/cluster/manifests/workflow.py``.
"""
