"""Initial values of parameters, beside their definitions."""

import pickle

import networkx as nx
import numpy as np
import pytest

import unrollgraph as ug
from unrollgraph import nn
from unrollgraph.nn import initializers


class Map(nn.Op):
    """A matrix with an initializer."""

    def __init__(self, init, shape=None):
        self.init, self.shape = init, shape

    def size_of(self, sizes):
        return sizes[0]

    def parameters(self, sizes):
        return {"matrix": nn.Parameter((sizes[0], sizes[0]), init=self.init)}

    def forward(self, sources, parameters):
        return sources[0] @ parameters["matrix"].T


def network(init, size=40, seed=0):
    G = nx.DiGraph([("x", "y")])
    nx.set_node_attributes(G, {"x": nn.Input(size), "y": Map(init)}, "op")
    return nn.Network(G, seed=seed)


@pytest.mark.parametrize(
    ("init", "deviation", "bound"),
    [
        (initializers.constant(0.5), 0.0, 0.5),
        (initializers.uniform(2.0), 2 / 3**0.5, 2.0),
        (initializers.normal(0.1), 0.1, np.inf),
        (initializers.glorot(), (2 / 80) ** 0.5, (6 / 80) ** 0.5),
        (initializers.he(), (2 / 40) ** 0.5, (6 / 40) ** 0.5),
        (initializers.orthogonal(3.0), 3 / 40**0.5, 3.0),
    ],
)
def test_values_have_the_deviation_and_the_bound_of_their_definition(init, deviation, bound):
    weight = network(init).parameters["y.matrix"]
    assert np.abs(weight).max() <= bound
    assert weight.std() == pytest.approx(deviation, rel=0.05, abs=1e-12)
    again = pickle.loads(pickle.dumps(network(init)))
    assert np.array_equal(again.parameters["y.matrix"], weight)
    drawn = network(init, seed=1).parameters["y.matrix"]
    assert np.array_equal(drawn, weight) == (deviation == 0)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (4, 2, 3)])
def test_orthogonal_matrices_have_orthonormal_rows_or_columns(shape):
    weight = initializers.orthogonal()(np.random.default_rng(0), shape)
    assert weight.shape == shape
    flat = weight.reshape(shape[0], -1)
    small = flat @ flat.T if shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(small, np.eye(len(small)), atol=1e-12)


def test_a_function_of_a_user_is_an_initializer():
    assert np.array_equal(
        network(lambda _, shape: np.eye(*shape)).parameters["y.matrix"], np.eye(40)
    )
    with pytest.raises(ug.errors.ShapeError, match=r"returned shape \(2,\)"):
        network(lambda *_: np.ones(2))
    with pytest.raises(ValueError, match="no rows with entries"):
        initializers.glorot()(np.random.default_rng(0), ())
