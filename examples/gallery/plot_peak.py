"""
A peak and its errors
=====================

NIST's Eckerle4: transmittance against wavelength, a Gaussian peak.
"""

import numpy as np
print(np.pi)
