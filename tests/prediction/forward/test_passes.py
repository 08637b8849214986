"""Padded and recorded predictions are those of the batches as they are, in both networks."""

import threading

import numpy as np
import pytest
import torch

from phase2.config.schema import CgcnnConfig, EquivariantConfig, GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.models.build import build_model
from phase2.prediction.forward.passes import WINDOW, ForwardPass
from phase2.testing.crystals import rock_salt, triclinic, zinc_blende
from phase2.testing.host_reads import host_reads
from phase2.testing.recorder import ForcedRecorder, OperationRecorder

CGCNN = CgcnnConfig(preset="small", width=16, convolutions=2, gaussians=12, trunk=16)
E3NN = EquivariantConfig(size="small", channels=(8, 6, 4), layers=2, trunk=16, second_order=3, readout_layers="all")
CPU = torch.device("cpu")
SIZE = 3
CLOSE = 1e-6


class Afresh(OperationRecorder):
    """Computes each batch as it is written, where recorded ones would be replayed."""

    def record(self, work):
        return work(), work


class Refusing(OperationRecorder):
    def record(self, work):
        raise RuntimeError("operation not permitted when stream is capturing")


@pytest.fixture(scope="module")
def graphs():
    """Crystals of 2 to 9 atoms, in no order: two windows of batches of three."""
    rng = np.random.default_rng(0)
    crystals = [triclinic(seed, int(rng.integers(2, 10))) for seed in range(2 * WINDOW * SIZE - 7)]
    return pack([rock_salt(), *crystals, zinc_blende()], GraphSpec())


@pytest.fixture(params=[CGCNN, E3NN], ids=["cgcnn", "e3nn"], scope="module")
def network(request):
    torch.manual_seed(0)
    model = build_model(request.param, 3, 12.0, 5.0)
    torch.nn.init.normal_(model.heads.weight, std=0.3)
    return model.eval()


def outputs_of(forward, graphs, index=None, size=SIZE):
    index = np.arange(len(graphs)) if index is None else index
    found = np.full((len(index), forward._network.heads.features + 3), np.nan, np.float32)
    for rows, outputs in forward.batches(graphs, index, size):
        assert np.isnan(found[rows]).all(), "each crystal once"
        found[rows] = outputs
    assert np.isfinite(found).all()
    return found


def recording(network, kind=OperationRecorder, gain=2.0, **settings):
    recorder = ForcedRecorder(kind(), gain)
    return ForwardPass(network, CPU, padding_buckets=2, recorder=recorder, **settings), recorder


def gap(found, expected):
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def test_a_cpu_computes_batches_as_they_are(network, graphs):
    forward = ForwardPass(network, CPU)
    found = outputs_of(forward, graphs)
    assert not forward.is_padded
    assert forward.window == 1
    for start in range(0, len(graphs), SIZE):
        part = graphs.take(np.arange(start, min(start + SIZE, len(graphs))))
        with torch.inference_mode():
            batch = collate(part, np.arange(len(part)), None, network.view)
            alone = torch.cat([network.embed(batch), network(batch)], dim=1).numpy()
        np.testing.assert_array_equal(found[start : start + SIZE], alone)


@pytest.mark.parametrize("resident", [False, True])
def test_padded_outputs_are_those_of_the_batches(network, graphs, resident):
    expected = outputs_of(ForwardPass(network, CPU), graphs)
    forward = ForwardPass(network, CPU, padding_buckets=2, resident=resident)
    assert gap(outputs_of(forward, graphs), expected) < CLOSE
    index = np.random.default_rng(1).permutation(len(graphs))[:40]
    assert gap(outputs_of(forward, graphs, index), expected[index]) < CLOSE
    assert len(forward._buckets.shapes) <= 2


@pytest.mark.parametrize("resident", [False, True])
def test_replayed_outputs_are_the_outputs(network, graphs, resident):
    found = []
    for kind in (OperationRecorder, Afresh):
        forward, recorder = recording(network, kind, resident=resident)
        found.append([outputs_of(forward, graphs) for _ in range(4)])
        assert forward.recorded.is_recorded
        assert recorder.recorded >= 1
    np.testing.assert_array_equal(found[0], found[1])
    assert gap(found[0][-1], outputs_of(ForwardPass(network, CPU), graphs)) < CLOSE


@pytest.mark.parametrize("kind", [OperationRecorder, Refusing])
def test_batches_are_left_as_they_are_where_recordings_do_not_gain(network, graphs, kind):
    forward, _ = recording(network, kind, gain=0.5)
    for _ in range(3):
        outputs_of(forward, graphs)
    assert forward.recorded.trial is not None
    assert not forward.is_padded
    np.testing.assert_array_equal(outputs_of(forward, graphs), outputs_of(ForwardPass(network, CPU), graphs))


def test_a_prediction_does_not_depend_on_the_others_of_its_batch(network, graphs):
    forward, _ = recording(network)
    whole = outputs_of(forward, graphs)
    for size in (1, 7, 40):
        assert gap(outputs_of(forward, graphs, size=size), whole) < CLOSE
    backward = outputs_of(forward, graphs, np.arange(len(graphs))[::-1])
    assert gap(backward[::-1], whole) < CLOSE


def test_sizes_settle(network, graphs):
    forward = ForwardPass(network, CPU, padding_buckets=2)
    outputs_of(forward, graphs, np.arange(3), size=1)
    outputs_of(forward, graphs)
    settled = forward._buckets
    for index in (np.arange(3), np.arange(1, 49), np.arange(len(graphs))):
        outputs_of(forward, graphs, index)
        assert forward._buckets is settled


def test_the_host_reads_no_value_of_a_batch(network, graphs):
    forward, recorder = recording(network, resident=True)
    for _ in range(4):
        outputs_of(forward, graphs)
    assert recorder.recorded
    assert host_reads(lambda: outputs_of(forward, graphs)) == []


def test_threads_do_not_share_the_batch_of_a_recording(network, graphs):
    forward, recorder = recording(network)
    for _ in range(4):
        outputs_of(forward, graphs)
    assert recorder.recorded
    parts = [np.arange(48), np.arange(48, len(graphs))]
    expected = [outputs_of(forward, graphs, part) for part in parts]
    found: list[list[np.ndarray]] = [[], []]

    def compute(k):
        for _ in range(5):
            found[k].append(outputs_of(forward, graphs, parts[k]))

    threads = [threading.Thread(target=compute, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(some) == 5 for some in found)
    for some, one in zip(found, expected, strict=True):
        for each in some:
            assert gap(each, one) < CLOSE


def test_features_of_a_potential_are_computed_for_each_batch(network, graphs):
    seen = []

    def potential(part):
        seen.append(len(part))
        return np.zeros((len(part), 4), np.float32)

    forward = ForwardPass(network, CPU, potential=potential)
    np.testing.assert_array_equal(outputs_of(forward, graphs), outputs_of(ForwardPass(network, CPU), graphs))
    assert max(seen) == SIZE
    assert sum(seen) == len(graphs)
