"""What is asserted outside of test modules is explained too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.e2e.faults.acts", "tests.e2e.faults.running", "tests.e2e.faults.truth")
