"""The table of docs/benchmarks/sample.md: means and sample standard deviations of several runs."""

from bench.seeds import table

from phase2.runs.report.tables.metrics import MetricsRow


def run_with(mae):
    return [MetricsRow("band_gap", "eV", mae, 2 * mae, 1.5, 1.5 / (2 * mae), 0.9, 101, 1.2, 1.6)]


def test_mean_and_sample_standard_deviation_to_three_digits():
    row = table([run_with(0.3), run_with(0.4), run_with(0.5)]).split("\n")[-1]
    assert row == "| band_gap | eV | 0.400 ± 0.100 | 0.800 ± 0.200 | 1.6 | 1.5 | 2.0 x | 101 |"


def test_one_run_has_no_spread():
    assert "| 0.300 ± 0.000 |" in table([run_with(0.3)])
