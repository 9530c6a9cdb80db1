"""Many processes: shards give the same numbers wherever they are computed."""

import sys
import warnings
from functools import partial

import joblib
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn

A = nn.architectures


def task(name="lstm", count=7, loss="mse"):
    net = nn.Network(getattr(A, name)(2, 3, 4), seed=1)
    rng = np.random.default_rng(0)
    y = (
        rng.integers(4, size=(6, count))
        if loss == "cross_entropy"
        else rng.uniform(size=(6, count, 4))
    )
    mask = rng.integers(2, size=(6, count))
    mask[:, 2] = 0  # a sequence of which nothing counts
    return net, {"x": rng.normal(size=(6, count, 2))}, {"y": y}, mask


def same_bits(one, other):
    assert one.loss == other.loss
    for name, gradient in one.parameters.items():
        assert gradient.tobytes() == other.parameters[name].tobytes()


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy", "cross_entropy"])
@pytest.mark.parametrize("shards", [1, 2, 7])
@pytest.mark.parametrize("masked", [False, True])
def test_shards_add_up_to_the_whole(loss, shards, masked):
    net, inputs, targets, mask = task(loss=loss)
    more = {"mask": mask} if masked else {}
    whole = nn.loss_and_gradients(net, inputs, targets, loss, **more)
    found = nn.sharded_gradients(net, inputs, targets, loss, shards=shards, **more)
    assert found.loss == pytest.approx(whole.loss, rel=1e-13)
    for name, gradient in whole.parameters.items():
        assert np.allclose(found.parameters[name], gradient, atol=1e-14)


def test_shards_of_a_grid_add_up():
    net = nn.Network(A.grid_2d(2, 3, 4))
    rng = np.random.default_rng(0)
    U = ug.unroll(net, (2, 3))
    given = {"x": rng.normal(size=(6, 5, 2))}, {"y": rng.normal(size=(6, 5, 4))}
    whole = nn.loss_and_gradients(net, *given, over=U)
    found = nn.sharded_gradients(net, *given, shards=2, over=U)
    assert found.loss == pytest.approx(whole.loss, rel=1e-13)


def fitted(**more):
    net, inputs, targets, _ = task()
    gradients = partial(nn.sharded_gradients, shards=3)
    history = nn.fit(
        net, nn.Sequences(inputs, targets), nn.Adam(0.01), epochs=3, gradients=gradients, **more
    )
    return history, {name: array.tobytes() for name, array in net.parameters.items()}


def test_processes_compute_the_same_bits():
    net, inputs, targets, mask = task()
    serial = nn.sharded_gradients(net, inputs, targets, shards=3, mask=mask)
    alone = fitted()
    with joblib.parallel_config(n_jobs=2):
        same_bits(nn.sharded_gradients(net, inputs, targets, shards=3, mask=mask), serial)
        assert fitted() == alone


def test_a_cluster_computes_the_same_bits():
    """On workers of Dask, processes of their own, with no code of ours but joblib's backend."""
    net, inputs, targets, mask = task()
    serial = nn.sharded_gradients(net, inputs, targets, shards=3, mask=mask)
    alone = fitted()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cluster's own libraries
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
            joblib.parallel_config(backend="dask"),
        ):
            same_bits(nn.sharded_gradients(net, inputs, targets, shards=3, mask=mask), serial)
            assert fitted() == alone
            processes = set(client.run(lambda: __import__("os").getpid()).values())
            assert len(processes) == 2


def test_bad_shards_are_refused(monkeypatch):
    net, inputs, targets, _ = task()
    for shards in (0, 8):
        with pytest.raises(ValueError, match=f"7 sequences cannot be split into {shards} shards"):
            nn.sharded_gradients(net, inputs, targets, shards=shards)
    with pytest.raises(ValueError, match="cannot be split into 2.5 shards"):
        nn.sharded_gradients(net, inputs, targets, shards=2.5)
    alone = {"x": inputs["x"][:, 0]}, {"y": targets["y"][:, 0]}
    with pytest.raises(ug.errors.ShapeError, match="but it must have 3 axes: time, batch, size"):
        nn.sharded_gradients(net, *alone, shards=1)
    with pytest.raises(ug.errors.ShapeError, match="targets: 'q' is not a vertex of the network"):
        nn.sharded_gradients(net, inputs, {"q": targets["y"]}, shards=2)
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(ImportError, match="requires joblib, which is not installed; install it"):
        nn.sharded_gradients(net, inputs, targets, shards=2)
