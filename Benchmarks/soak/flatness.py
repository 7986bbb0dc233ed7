"""Whether a figure stays flat: a robust line through it, and what it may rise from one end to the other."""

import random
import statistics

BINS = 60


class Bound:
    """What a figure may rise over the judged part of a run: a share of its median, or an amount if that is more."""

    def __init__(self, share, amount):
        self.share = share
        self.amount = amount

    def limit(self, median):
        """The rise that is allowed around `median`."""
        return max(self.share * median, self.amount)


def judge(points, bound):
    """Judges `points`, pairs of seconds and figures; a rise counts, a fall does not.

    The points are put into bins of equal length, whose medians a burst cannot move. The slope is the median of those between
    all pairs of bins (Theil and Sen), so that almost a third of the bins may be anything."""
    points = [(second, figure) for second, figure in points if figure is not None]
    if len(points) < 10:
        return {"is_flat": False, "reason": "too few samples"}
    first, last = points[0][0], points[-1][0]
    bins = {}
    for second, figure in points:
        bins.setdefault(min(BINS - 1, int((second - first) / (last - first) * BINS)), []).append((second, figure))
    middles = [(statistics.median(s for s, _ in part), statistics.median(f for _, f in part))
               for _, part in sorted(bins.items())]
    slopes = [(right[1] - left[1]) / (right[0] - left[0])
              for number, left in enumerate(middles) for right in middles[number + 1:] if right[0] > left[0]]
    median = statistics.median(figure for _, figure in middles)
    rise = statistics.median(slopes) * (last - first)
    limit = bound.limit(median)
    return {"is_flat": rise <= limit, "median": median, "rise": rise, "limit": limit}


def check():
    """Shows that `judge` tells what it has to, on figures made for it; an AssertionError otherwise."""
    source = random.Random(1)
    noise = [(second, 100 + source.gauss(0, 5)) for second in range(3_000)]
    bound = Bound(0.02, 1)
    assert judge(noise, bound)["is_flat"], "noise is flat"
    assert not judge([(s, f + 3 * s / 3_000) for s, f in noise], bound)["is_flat"], "a rise of 3 % is none"
    assert judge([(s, f - 9 * s / 3_000) for s, f in noise], bound)["is_flat"], "a fall is flat"
    assert judge([(s, f * (50 if s % 400 < 40 else 1)) for s, f in noise], bound)["is_flat"], "bursts are flat"
    steps = [(s, f + 2 * (s // 500)) for s, f in noise]
    assert not judge(steps, bound)["is_flat"], "what never goes back is none"
    assert not judge(noise[:5], bound)["is_flat"], "nothing is not flat"


if __name__ == "__main__":
    check()
    print("flat is flat, and what rises is found")
