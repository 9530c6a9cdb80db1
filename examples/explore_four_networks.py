"""
Walk the graph, watch it unroll
===============================

Four networks to walk on, each a page to open in a browser. Go round the cycle of the seed
network: closed below, it is open above. In the cyclic cover it closes when it has gone
round often enough. In an LSTM there are eight independent cycles, and the delay cover
hears only how long they take. A bidirectional network reads the future, so the network
runs from both ends; and on a grid time has two directions.
"""

import unrollgraph as ug
from unrollgraph import nn

networks = {
    "seed": nn.architectures.seed(1, 1, 1),
    "lstm": nn.architectures.lstm(1, 1, 1),
    "bidirectional": nn.architectures.bidirectional(1, 1, 1),
    "grid": nn.architectures.grid_2d(1, 1, 1),
}
for name, G in networks.items():
    page = ug.explorer.explore(G, title=f"{name}: walk, and watch it unroll")
    page.save(f"{name}.html")
    covers = ", ".join(f"{c['name']}: {len(c['vertices'])}" for c in page.data["covers"])
    print(f"{name}.html, vertices shown: {covers}")

# In which covers does the walk h -> h -> h on the grid close, if it takes each loop once
# forward and once backward?
