"""What a run costs in energy and money, estimated from its time.

No meter is read: the powers are the defaults of Lannelongue, Grealey and Inouye
(2021), "Green Algorithms: Quantifying the Carbon Footprint of Computation", Advanced
Science 8(12), 2100707. For one machine they may be off by a factor of three.
"""

WATTS_A_CORE = 12.0
WATTS_A_GB = 0.3725  # of memory that is held, used or not
OVERHEAD = 1.67  # power usage effectiveness: cooling and losses of a data centre
EUROS_A_KWH = 0.30  # about what households in Europe paid in 2025; put in your own


def energy(seconds, cores=1, memory=4.0, watts=None):
    """Kilowatt hours of a run: time times the power of cores and memory, times 1.67.

    Args:
        seconds: how long it ran.
        cores: how many were busy; memory: held, in GB.
        watts: power of the processor, such as an accelerator's data sheet gives it;
            None for 12 W a core.

    Raises ValueError for negative numbers.
    """
    watts = cores * WATTS_A_CORE if watts is None else watts
    if min(seconds, watts, memory) < 0:
        raise ValueError(f"{seconds} s, {watts} W, {memory} GB: none may be negative")
    return seconds / 3600 * (watts + memory * WATTS_A_GB) * OVERHEAD / 1000


def spent(seconds, **machine):
    """The same as a phrase: seconds, kilowatt hours, euros at 0.30 a kWh."""
    kwh = energy(seconds, **machine)
    return f"{seconds:,.0f} s, about {kwh:.2g} kWh or {kwh * EUROS_A_KWH:.1g} euros"
