"""The base of all HTML that phase2 writes: template, theme, scripts and vendored libraries.

A page is a template that extends ``base.html``, in a folder ``templates`` of the package that writes the page, with
its styles and scripts beside it::

    {% extends "base.html" %}
    {% block title %}{{ name }}{% endblock %}
    {% block main %}<h1>{{ name }}</h1> <div class="plot" id="curve"></div>{% endblock %}

Python fills it with plain values and with data that its scripts read::

    from phase2.web.page import Page

    page = Page("phase2.runs.report.html", "report.html", styles=("report.css",), scripts=("report.js",),
                libraries=("plotly",))
    text = page.render({"name": run_id}, data={"curve": {"x": [1, 2], "y": [0.3, 0.2]}})

JavaScript gets the data by ``phase2.data("curve")`` and colours, text for Plotly, its layout and the theme from the
other functions of ``templates/base.js``.

Rules that hold for each page:

- Text is escaped by Jinja2 and shown by the rules of :mod:`phase2.output`; data is embedded as JSON that no text can
  leave. Scripts set ``textContent``, never ``innerHTML``; text for Plotly goes through ``phase2.plotText``.
- The page is one file. Its Content-Security-Policy names the scripts by their hashes and allows no request, so that
  markup that got in would neither run nor call. ``connect=True`` allows requests to the place that serves the page.
- Colours are the custom properties of ``templates/base.css``, which are right in light, dark and on paper.
"""
