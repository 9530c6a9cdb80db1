"""
A filter is a network that is linear
====================================

A signal that feeds back into itself through delays of one step and of two rings like a
bell. Its transfer function is a quotient of two polynomials, written down from the graph
alone; where the lower one is zero lie the poles, and how near they are to the circle says
how long it rings. The impulse response lists the walks through the graph.
"""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import sympy

import unrollgraph as ug

loudness = sympy.Rational(9, 10)  # nearer to 1 it rings for longer
turn = sympy.Rational(8, 5)  # twice the cosine of the angle by which it turns in a step

G = nx.MultiDiGraph()
G.add_edge("x", "y")
G.add_edge("y", "y", delay=1, gain=turn * loudness)
G.add_edge("y", "y", delay=2, gain=-(loudness**2))

z = sympy.Symbol("z")
H = ug.symbolic.transfer_function(G, "x", "y", z)
print("H(z) =", H)
impulse = [float(c) for c in ug.symbolic.walk_series(G, "x", "y", 60, gain="gain")]
# z is one step of delay here, so a pole of the books is one over a zero of the denominator
poles = [1 / complex(root) for root in sympy.roots(sympy.fraction(H)[1], z)]
print("poles at", ", ".join(f"{pole:.3f}" for pole in poles))

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.4), width_ratios=[1, 2], layout="constrained"
)
angle = np.linspace(0, 2 * np.pi, 200)
left.plot(np.cos(angle), np.sin(angle), color="0.7", linewidth=1)
left.plot([p.real for p in poles], [p.imag for p in poles], "x", color="#D55E00", markersize=9)
left.set(aspect="equal", title="poles", xlabel="real", ylabel="imaginary")
right.axhline(0, color="0.7", linewidth=1)
right.vlines(range(len(impulse)), 0, impulse, color="#0072B2")
right.plot(impulse, "o", color="#0072B2", markersize=4)
right.set(title="impulse response", xlabel="time", ylabel="y")
figure.savefig("impulse_of_a_filter.svg")

# Move the pole outside the circle. What becomes of the response, and of the finite window?
