"""Hypothesis profiles: the default repeats itself, ``thorough`` looks further each time."""

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, derandomize=True, max_examples=50)
settings.register_profile(
    "thorough",
    deadline=None,
    derandomize=False,  # else it would follow the default profile, which is loaded before
    max_examples=2000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")
