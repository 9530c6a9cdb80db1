"""Size limits of results and computations; a larger one raises an error.

A number in an array takes eight bytes, a Python object about a hundred.
"""

LARGEST_DELAY = 2**31  # so that sums along walks fit into 64 bits
LARGEST_DIMENSION = 64  # d of delays in Z^d for which linear schedules are computed
MOST_NUMBERS = 10**8  # in the arrays of a result
MOST_ARCS = 10**9  # edges of a lift that is stored in arrays
MOST_OBJECTS = 10**7  # edges of a path, vertices in sets, entries of tables, powers of z
MOST_TERMS = 10**6  # of a power series computed by SymPy
MOST_STATES = 2_000  # of a linear network with an explicit state matrix
MOST_SEARCHED = 200_000  # vertices of the cover that a path search visits
MOST_COUNTED = 2_000_000  # vertices of the cover listed to count paths, or as ancestors
MOST_WRITTEN = 10**6  # vertices and edges of a file written by the command line
