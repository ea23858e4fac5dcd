"""How hypothesis draws: the same examples in every run, or many fresh ones where the environment asks for them.

``HYPOTHESIS_PROFILE=thorough pytest tests/unit`` draws twenty times as many, at random; what fails is printed with the
line that repeats it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("steady", max_examples=100, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "thorough", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
