"""Sizes beyond which an answer is refused with `TooLargeError`, and what that is measured in.

Without them, a question that is too large would take all memory, or hours. A number in an array
takes eight bytes, an object of Python about a hundred.
"""

LARGEST_DELAY = 2**31  # so that sums along walks fit into 64 bits
LARGEST_DIMENSION = 64  # of delays whose cycles are told apart
MOST_NUMBERS = 10**8  # in the arrays of an answer
MOST_ARCS = 10**9  # of a lift that is written into arrays
MOST_OBJECTS = 10**7  # edges of a path, vertices in sets, entries of tables, powers of z
MOST_TERMS = 10**6  # of a series, by SymPy
MOST_STATES = 2_000  # of a linear network, whose matrix is written out
MOST_SEARCHED = 200_000  # vertices of the cover that a search for a path meets
MOST_COUNTED = 2_000_000  # vertices of the cover between source and target, to count paths
MOST_WRITTEN = 10**6  # vertices and edges in a file that the command line writes
