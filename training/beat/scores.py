"""Beats of MIDI scores, excerpts and variations of them: what the beat and key models are trained on.

A score is (ticks a quarter, events) as ../tagging/midi_file.py reads it. Its truth follows the definitions by which analysis is
scored: the beat is the metre's (a dotted quarter in 6/8, 9/8, 12/8; 5/8 and 7/8 count eighths) and runs from the last bar line
at or before the first note to the end of the last; the key comes from note lengths and Krumhansl and Kessler's profiles.
"""
import os
import random
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tagging"))
import midi_file  # noqa: E402

MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]
MELODIC = [0, 1, 4, 5, 6, 11, 12, 16, 19, 21, 24, 25, 26, 27, 29, 30, 40, 42, 44, 45, 46, 48, 49, 50, 52, 56, 57, 60, 61, 64, 65, 66,
           68, 71, 73, 74, 75, 78, 80, 81, 87, 88, 89, 105, 109, 110]
BASSES = [32, 33, 34, 35, 36, 38, 39, 43, 58]


def metres(division, events):
    """[(tick, beat in ticks, beats a bar)] from tick 0 on."""
    found = {0: (4, 4)}
    for tick, _, event in events:
        if event[:2] == b"\xff\x58" and event[3]:
            found[tick] = (event[3], 1 << event[4])
    out = []
    for tick, (count, unit) in sorted(found.items()):
        compound = unit == 8 and count % 3 == 0 and count > 3
        out.append((tick, division * 4 // unit * (3 if compound else 1), count // 3 if compound else count))
    return out


def note_span(events):
    """Tick of the first note-on and of the last note-off."""
    on = [tick for tick, _, event in events if event[0] >> 4 == 9 and event[2]]
    off = [tick for tick, _, event in events if event[0] >> 4 == 8 or (event[0] >> 4 == 9 and not event[2])]
    return (min(on), max([max(on) + 1] + off)) if on else None


def beat_ticks(division, events):
    """[(tick, number in bar from 1)]"""
    first, last = note_span(events)
    out, bars = [], metres(division, events)
    for i, (tick, step, per_bar) in enumerate(bars):
        stop = bars[i + 1][0] if i + 1 < len(bars) else last
        out += [(at, k % per_bar + 1) for k, at in enumerate(range(tick, stop, step))]
    starts = [tick for tick, number in out if number == 1 and tick <= first]
    low = max(starts) if starts else first
    return [(tick, number) for tick, number in out if low <= tick < last]


def truth(division, events):
    """(beat times in seconds, numbers in bar, tempo: the median over the beats)."""
    ticks = beat_ticks(division, events)
    marks = sorted([(tick, 1 << 29, None) for tick, _ in ticks] + list(events), key=lambda e: (e[0], e[1]))
    times = [now for now, (_, _, event) in zip(midi_file.seconds_of(division, [m if m[2] else (m[0], m[1], b"\x00") for m in marks]), marks)
             if event is None]
    gaps = np.diff(times)
    return np.array(times), np.array([number for _, number in ticks]), float(np.median(60 / gaps[gaps > 0])) if len(gaps) else 0.0


def key_of(division, events, end=1e9):
    """(pitch class + 12 when minor, lead over the second best) of the notes that start before `end` seconds; None without notes."""
    weight = np.zeros(12)
    quarter = None
    for channel, pitch, _, _, start, stop in midi_file.notes(division, events):
        if channel != 9 and start < end:
            quarter = quarter or 0.5
            weight[pitch % 12] += min(stop - start, 4 * quarter)
    if not weight.any():
        return None
    fit = [np.corrcoef(np.roll(weight, -k), profile)[0, 1] for profile in (MAJOR, MINOR) for k in range(12)]
    order = np.argsort(fit)
    return int(order[-1]), float(fit[order[-1]] - fit[order[-2]])


def excerpt(division, events, start, seconds):
    """The events from tick `start` on, for `seconds`; what was set before is set at its beginning."""
    out = []
    for tick, order, event in events:
        kind = event[0] >> 4
        if tick >= start:
            out.append((tick - start, order, event))
        elif event[0] == 0xFF or kind in (11, 12, 14):
            out.append((0, order - (1 << 28), event))
    times = midi_file.seconds_of(division, out)
    out = [event for event, now in zip(out, times) if now < seconds]
    end = out[-1][0]
    return out + [(end, 1 << 30, bytes([0xB0 | channel, 120, 0])) for channel in range(16)]


def vary(division, events, rng: random.Random):
    """Another tempo, key, instruments and voices: what leaves the written beat as it is."""
    span = note_span(events)
    stretch = 2 ** rng.uniform(-0.25, 0.25) if rng.random() < 0.6 else 1.0
    shift = rng.randint(-5, 6) if rng.random() < 0.7 else 0
    used = {event[0] & 15 for _, _, event in events if event[0] >> 4 == 9 and event[2]}
    pitches = {c: [] for c in used}
    for _, _, event in events:
        if event[0] >> 4 == 9 and event[2]:
            pitches[event[0] & 15].append(event[1])
    melodic = sorted(used - {9})
    drop = set()
    if 9 in used and melodic and rng.random() < 0.3:
        drop.add(9)
    if len(melodic) > 2 and rng.random() < 0.4:
        drop |= set(rng.sample(melodic, rng.randint(1, (len(melodic) - 1) // 2 + 1) if len(melodic) > 3 else 1))
    swap = {}
    if rng.random() < 0.6:
        for channel in melodic:
            if rng.random() < 0.6:
                swap[channel] = rng.choice(BASSES if np.mean(pitches[channel]) < 45 else MELODIC)
    kit = rng.choice([0, 0, 8, 16, 24, 25, 40])
    gain = {c: rng.uniform(0.6, 1.15) for c in used}
    out = [(0, -1, bytes([0xC0 | c, p])) for c, p in swap.items()] + [(0, -1, bytes([0xC9, kit]))]
    for tick, order, event in events:
        kind, channel = event[0] >> 4, event[0] & 15
        if event[:2] == b"\xff\x51":
            event = event[:3] + int(min((1 << 24) - 1, int.from_bytes(event[3:], "big") / stretch)).to_bytes(3, "big")
        elif event[0] != 0xFF:
            if channel in drop or (kind == 12 and (channel in swap or channel == 9)):
                continue
            if kind in (8, 9) and channel != 9:
                event = bytes([event[0], min(127, max(0, event[1] + shift))]) + event[2:]
            if kind == 9 and event[2]:
                event = event[:2] + bytes([max(1, min(127, int(event[2] * gain[channel])))])
        out.append((tick, order, event))
    if not any(event[:2] == b"\xff\x51" for _, _, event in out):
        out.append((0, -2, b"\xff\x51\x03" + int(500000 / stretch).to_bytes(3, "big")))
    out.sort(key=lambda e: (e[0], e[1]))
    return (division, out) if note_span(out) and note_span(out)[0] <= span[1] else (division, events)
