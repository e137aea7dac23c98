"""What pyproject.toml cannot say: RIPEMD-128 in C, built where there is a compiler, and never required.

``HOOKLATCH_EXTENSION=required`` fails where it cannot be built (for wheels that are published), ``none`` leaves it out
(a wheel for any platform).
"""

import os
import sysconfig

from setuptools import Extension, setup

wanted = os.environ.get("HOOKLATCH_EXTENSION", "optional")
# A free-threaded Python (3.13t) has no limited API.
limited = not sysconfig.get_config_var("Py_GIL_DISABLED")

extension = Extension(
    "hooklatch._ripemd128_c",
    ["src/hooklatch/_ripemd128_c.c"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if limited else [],
    py_limited_api=limited,
    optional=wanted != "required",
)
built = wanted != "none"

setup(
    ext_modules=[extension] if built else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if built and limited else {},
)
