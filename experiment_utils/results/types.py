"""What the readers, statistics and figures of results have in common."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
