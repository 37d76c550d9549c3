"""A rate limit: so many calls a second, evenly, after a first burst of as many (the generic cell rate algorithm). Pure."""


def admitted(reserved: float, now: float, per_second: float) -> tuple[float, float]:
    """Reserve the next call: the new state, and the seconds to wait before that call. Begin with a state of 0.

    The state is the moment, on the caller's clock, up to which calls are reserved; each takes 1/`per_second`.
    """
    burst = 1.0 - 1.0 / per_second if per_second > 1.0 else 0.0
    return max(reserved, now) + 1.0 / per_second, max(reserved - burst - now, 0.0)
