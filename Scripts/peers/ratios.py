#!/usr/bin/env python3
"""Prints how many times faster the first command of `compare-peers` was, turn by turn, and whether both gave the same numbers.

    ratios.py OURS.jsonl THEIRS.jsonl
"""
import json
import os
import statistics
import sys


def read(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def spread(values):
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def differences(ours, theirs, place=""):
    """The relative difference of every number that both have, with its place."""
    for key in ours.keys() & theirs.keys():
        a, b = ours[key], theirs[key]
        if isinstance(a, dict):
            yield from differences(a, b, f"{place}{key}/")
        else:
            yield abs(a - b) / max(1.0, abs(b)), place + key


def main():
    ours, theirs = (read(path) for path in sys.argv[1:])
    seconds = [[turn["seconds"] for turn in turns] for turns in (ours, theirs)]
    ratios = [b / a for a, b in zip(*seconds)]
    print(f"Warmstart  {spread(seconds[0])} s, {ours[0]['threads']} threads")
    print(f"peers      {spread(seconds[1])} s")
    print(f"ratio      {spread(ratios)} over {len(ratios)} turns; load of the machine now {os.getloadavg()[0]:.1f}")
    peaks = [[turn["peak_gb"] for turn in turns if "peak_gb" in turn] for turns in (ours, theirs)]
    if all(peaks):
        shares = [a / b for a, b in zip(*peaks)]
        print(f"memory     {spread(peaks[0])} GB against {spread(peaks[1])} GB, share {spread(shares)}")
    for part, value in theirs[-1].get("parts", {}).items():
        print(f"           {part}: {value:.3g} s of the last turn")
    found = sorted(differences(ours[-1].get("values", {}), theirs[-1].get("values", {})))
    if found:
        worst, place = found[-1]
        print(f"numbers    {len(found)} compared, the largest relative difference is {worst:.1e} ({place})")
        sys.exit(0 if worst <= 1e-6 else 1)


if __name__ == "__main__":
    main()
