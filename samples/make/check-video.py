#!/usr/bin/env python3
"""Check the demo videos against their ground truth.

    check-video.py [--samples SAMPLES]

Decodes demo.mp4 and demo.webm with ffmpeg and, for each true match, looks for
the lag at which the video fits the sample track best, within 150 ms of what
the truth says. Fails when a lag is above 50 ms, a fit is poor, a place that
should be silent is not, or a file is shorter than the truth says.
"""

from __future__ import annotations

import argparse
import array
import json
import math
import operator
import pathlib
import subprocess
import sys

RATE_HZ = 4000
LONGEST_LAG_MS = 150
ALLOWED_LAG_MS = 50
WINDOW_MS = 6000
LEAST_FIT = {"foreground": 0.9, "under-speech": 0.3}
LOUDEST_SILENCE_DB = -60.0


def decode(file: pathlib.Path, *filters: str) -> list[float]:
    """Mono samples at RATE_HZ, low and very high parts removed."""
    chain = ",".join([*filters, "highpass=f=100", f"aresample={RATE_HZ}"])
    raw = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(file), "-map", "0:a:0", "-af", chain,
                          "-ac", "1", "-f", "f32le", "-"], check=True, stdout=subprocess.PIPE).stdout
    return array.array("f", raw).tolist()


def dot(left: list[float], right: list[float]) -> float:
    """Inner product."""
    return sum(map(operator.mul, left, right))


def best_lag(query: list[float], reference: list[float], at: int, start: int, length: int) -> tuple[float, float]:
    """Lag in ms and normalised correlation of reference[at:at+length] around query[start]."""
    template = reference[at:at + length]
    energy = dot(template, template)
    reach = LONGEST_LAG_MS * RATE_HZ // 1000
    best = (-1.0, 0)
    for lag in range(-reach, reach + 1):
        piece = query[start + lag:start + lag + length]
        fit = dot(template, piece) / math.sqrt(energy * dot(piece, piece) + 1e-12)
        best = max(best, (fit, lag))
    return best[1] * 1000 / RATE_HZ, best[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    folder = parser.parse_args().samples
    truth = json.loads((folder / "video" / "demo.truth.json").read_text(encoding="utf-8"))
    faults: list[str] = []
    for name in ("demo.mp4", "demo.webm"):
        query = decode(folder / "video" / name)
        seconds = len(query) / RATE_HZ
        peak = max(map(abs, query))
        print(f"{name}: {seconds:.3f} s, peak {20 * math.log10(peak):.1f} dBFS")
        if abs(seconds * 1000 - truth["durationMs"]) > 100:
            faults.append(f"{name}: {seconds:.3f} s")
        for match in truth["matches"]:
            speed = match["speedRatio"]
            filters = ["aresample=48000"]
            if speed != 1.0:
                filters.append(f"asetrate={round(48000 * speed)}")
            reference = decode(folder / "tracks" / match["track"], *filters)
            middle = (match["queryEndMs"] - match["queryStartMs"] - WINDOW_MS) // 2
            at = round((match["referenceStartMs"] / speed + middle) * RATE_HZ / 1000)
            start = (match["queryStartMs"] + middle) * RATE_HZ // 1000
            lag, fit = best_lag(query, reference, at, start, WINDOW_MS * RATE_HZ // 1000)
            print(f"  {match['track']:32} {match['role']:12} lag {lag:+7.2f} ms, fit {fit:.3f}", flush=True)
            if abs(lag) > ALLOWED_LAG_MS or fit < LEAST_FIT[match["role"]]:
                faults.append(f"{name}: {match['track']}")
        for gap in truth["silence"]:
            # Codecs ring for a moment: the first and last 100 ms do not count.
            piece = query[(gap["startMs"] + 100) * RATE_HZ // 1000:(gap["endMs"] - 100) * RATE_HZ // 1000]
            level = 10 * math.log10(dot(piece, piece) / len(piece) + 1e-12)
            print(f"  silence {gap['startMs']}..{gap['endMs']} ms: {level:.1f} dBFS")
            if level > LOUDEST_SILENCE_DB:
                faults.append(f"{name}: silence at {level:.1f} dBFS")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
