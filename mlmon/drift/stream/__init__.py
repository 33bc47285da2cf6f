"""Detectors of a stream: one value at a time, or an array at a time with the same answer.

Each states how many clean values it runs, on average, until a false alarm (`arl0`), where
its `for_arl` makes it. Their own constructors take the published constants, which state nothing.
After an alarm each starts afresh, as if no value had come before.

======================  ==================  =======================================
detector                takes               compares
======================  ==================  =======================================
`CUSUM`                 numbers or 0/1      with a mean that you know
`PageHinkley`           numbers or 0/1      with the mean so far
`DDM`, `EDDM`           0/1                 with the best so far: rate, distance
`HDDMA`, `HDDMW`        0/1                 with the best first part, plain, weighted
`ADWIN`                 numbers or 0/1      means on both sides of every cut
`KSWIN`                 numbers or 0/1      distributions within a short window
======================  ==================  =======================================
"""
from mlmon.drift.stream.cusum import CUSUM, PageHinkley
from mlmon.drift.stream.errors import DDM, EDDM
from mlmon.drift.stream.hoeffding import HDDMA, HDDMW
from mlmon.drift.stream.runlength import RunLength, run_length
from mlmon.drift.stream.windows import ADWIN, KSWIN

__all__ = ["ADWIN", "CUSUM", "DDM", "EDDM", "HDDMA", "HDDMW", "KSWIN", "PageHinkley", "RunLength", "run_length"]
