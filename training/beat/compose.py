"""Composes short pieces in the manner of folk tunes, ballads, dances and rock, with the metre and tempo that such scores are written in.

    compose.py OUT_FOLDER --count 400 [--seed 1]

Everything is drawn from a seeded generator; no melody is taken from anywhere. The pieces teach the beat network levels and
metres that game music lacks: jigs in dotted quarters, waltzes, slow ballads over running arpeggios, half-time drums.
"""
import argparse
import os
import random

import scores

midi_file = scores.midi_file
Q = 480
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10], "dorian": [0, 2, 3, 5, 7, 9, 10], "mixolydian": [0, 2, 4, 5, 7, 9, 10]}
PROGRESSIONS = {
    "major": [[0, 4, 5, 3], [0, 5, 3, 4], [3, 4, 0, 5], [0, 3, 4, 0], [0, 0, 3, 4], [0, 2, 3, 4], [5, 3, 0, 4], [0, 3, 0, 4], [0, 4, 3, 3],
              [0, 4, 5, 2, 3, 0, 3, 4], [1, 4, 0, 5]],
    "minor": [[0, 5, 2, 6], [0, 3, 4, 0], [0, 6, 5, 6], [0, 0, 5, 6], [0, 3, 6, 2], [0, 5, 3, 4], [0, 6, 0, 4]],
    "dorian": [[0, 6, 0, 6], [0, 3, 0, 6], [0, 0, 6, 6]],
    "mixolydian": [[0, 6, 3, 0], [0, 0, 6, 0], [0, 6, 0, 3]],
}
KICK, SNARE, SIDE, CLAP, HAT, OPEN, RIDE, CRASH, TOM, SHAKER, TAMB = 36, 38, 37, 39, 42, 46, 51, 49, 45, 70, 54


class Song:
    """Collects notes on a grid: `at` and `length` in quarter notes."""

    def __init__(self, rng, count, unit, bpm, programs):
        self.rng, self.events, self.order = rng, [], 0
        self.bar = count * 4 / unit
        beat = 1.5 if unit == 8 and count % 3 == 0 and count > 3 else 4 / unit
        self.add(0, bytes([0xFF, 0x58, 4, count, {2: 1, 4: 2, 8: 3}[unit], 24, 8]))
        self.add(0, b"\xff\x51\x03" + int(60e6 * 1 / (bpm * beat)).to_bytes(3, "big"))
        for channel, program in programs.items():
            self.add(0, bytes([0xC0 | channel, program]))

    def add(self, at, event):
        self.events.append((int(round(at * Q)), self.order, event))
        self.order += 1

    def note(self, channel, pitch, at, length, velocity=80):
        velocity = max(12, min(127, int(velocity * self.rng.uniform(0.9, 1.08))))
        while pitch > 108:
            pitch -= 12
        self.add(at, bytes([0x90 | channel, pitch, velocity]))
        self.add(at + max(0.05, length * 0.96), bytes([0x80 | channel, pitch, 0]))

    def done(self):
        return Q, sorted(self.events, key=lambda e: (e[0], e[2][0] >> 4 == 9, e[1]))


def pitch_of(scale, tonic, degree):
    return tonic + 12 * (degree // 7) + scale[degree % 7]


def triad(scale, tonic, root):
    return [pitch_of(scale, tonic, root + k) for k in (0, 2, 4)]


def phrase_rhythm(rng, bar, unit, busy):
    """Onsets of a bar of melody: mostly `unit`-long notes, pairs and held notes."""
    out, at = [], 0.0
    while at < bar - 1e-9:
        length = unit * rng.choice([1] * busy + [2, 2, 3 if rng.random() < 0.3 else 2, 4])
        length = min(length, bar - at)
        out.append((at, length))
        at += length
    return out


def melody(song, rng, channel, scale, tonic, chords, bars, rhythms, low=3, high=16, rest=0.05, velocity=92, accent=None):
    """A line that walks by steps and leaps to chord notes on the beat; rhythms come back every few bars."""
    degree = rng.randint(6, 10)
    for b in range(bars):
        root = chords[b % len(chords)]
        for at, length in rhythms[b % len(rhythms)]:
            if rng.random() < rest:
                continue
            if at % 1 == 0 and rng.random() < 0.5:
                degree = min((root + k + 7 * o for k in (0, 2, 4) for o in (0, 1, 2)), key=lambda d: abs(d - degree) + rng.random() * 3)
            else:
                degree += rng.choice([-2, -1, -1, 1, 1, 2, 0, rng.randint(-4, 4)])
            degree = max(low, min(high, degree))
            strong = 1.12 if accent and abs(at / accent - round(at / accent)) < 1e-6 else 1.0
            song.note(channel, pitch_of(scale, tonic, degree), b * song.bar + at, length, velocity * strong)


def folk(rng):
    kind = rng.choice(["jig", "jig", "reel", "reel", "reel", "hornpipe", "polka", "waltz", "waltz", "slip", "march", "air", "cut"])
    count, unit, bpm = {"jig": (6, 8, rng.uniform(70, 135)), "reel": (4, 4, rng.uniform(80, 130) if rng.random() < 0.7 else rng.uniform(150, 230)),
                        "hornpipe": (4, 4, rng.uniform(75, 180)), "polka": (2, 4, rng.uniform(80, 145)), "waltz": (3, 4, rng.uniform(85, 185)),
                        "slip": (9, 8, rng.uniform(75, 130)), "march": (4, 4, rng.uniform(80, 130)), "air": (rng.choice([3, 4]), 4, rng.uniform(60, 110)),
                        "cut": (2, 2, rng.uniform(70, 120))}[kind]
    lead = rng.choice([0, 21, 22, 24, 25, 40, 46, 68, 71, 72, 73, 74, 75, 78, 79, 105, 109, 110, 6, 15])
    back = rng.choice([0, 0, 24, 24, 25, 46, 48, 21, 19, 1])
    mode = rng.choice(["major", "major", "major", "minor", "dorian", "mixolydian"])
    scale, tonic = SCALES[mode], rng.randint(55, 66)
    song = Song(rng, count, unit, bpm, {0: lead, 1: back, 2: rng.choice([32, 33, 43, 0, 24])})
    bars, bar = 64, song.bar
    compound = unit == 8
    busy = {"air": 2, "march": 3, "waltz": 3, "polka": 5}.get(kind, 9)
    rhythms = []
    for _ in range(rng.choice([2, 4, 4, 8])):
        if compound:
            row = []
            for k in range(int(bar / 1.5)):
                row += rng.choice([[(0, .5), (.5, .5), (1, .5)]] * 4 + [[(0, 1), (1, .5)]] * 2 + [[(0, .75), (.75, .25), (1, .5)], [(0, 1.5)]]) if k == 0 else \
                    [(1.5 * k + a, n) for a, n in rng.choice([[(0, .5), (.5, .5), (1, .5)]] * 4 + [[(0, 1), (1, .5)]] * 2 + [[(0, 1.5)]])]
            rhythms.append(row)
        elif kind == "hornpipe":
            rhythms.append([(k + a, n) for k in range(4) for a, n in ([(0, 2 / 3), (2 / 3, 1 / 3)] if rng.random() < .85 else [(0, 1)])])
        elif kind == "polka":
            rhythms.append(phrase_rhythm(rng, bar, rng.choice([.25, .5]), busy))
        else:
            rhythms.append(phrase_rhythm(rng, bar, 1 if kind == "air" and rng.random() < .3 else .5, busy))
    chords = rng.choice(PROGRESSIONS[mode]) + rng.choice(PROGRESSIONS[mode])
    melody(song, rng, 0, scale, tonic + 12 * rng.choice([0, 0, 1]) - 12, chords, bars, rhythms, 5, 18, .03, accent=1.5 if compound else 1)
    style = rng.choice(["guitar", "guitar", "guitar", "none", "drone", "block", "arpeggio", "bass"])
    beat = 1.5 if compound else 1
    for b in range(bars):
        notes, at, root = triad(scale, tonic - 12, chords[b % len(chords)]), b * bar, chords[b % len(chords)]
        if style == "guitar":  # bass on the strong beats, chord on the weak ones, as tune books are played back
            k = 0
            while k * beat < bar - 1e-9:
                strong = k % 2 == 0 if count != 3 and count != 9 else k == 0
                if compound:
                    song.note(2, notes[0] - 12 if k % 2 == 0 else notes[2] - 12, at + k * beat, .5, 84)
                    for p in notes:
                        song.note(1, p, at + k * beat + 1, .5, 62)
                elif strong:
                    song.note(2, notes[0] - 12 if k == 0 else notes[2] - 12, at + k, .9, 84)
                else:
                    for p in notes:
                        song.note(1, p, at + k, .9, 64)
                k += 1
        elif style == "drone":
            for p in (tonic - 24, tonic - 17):
                song.note(1, p, at, bar, 60)
        elif style == "block":
            for p in notes:
                song.note(1, p, at, bar, 62)
        elif style == "arpeggio":
            step = .5
            for k in range(int(bar / step)):
                song.note(1, notes[[0, 1, 2, 1][k % 4] if not compound else k % 3], at + k * step, step, 62)
        elif style == "bass":
            for k in range(int(bar / beat)):
                song.note(2, notes[0] - 12, at + k * beat, beat, 76)
    if rng.random() < .25:
        for b in range(bars):
            for k in range(int(bar / beat)):
                song.note(9, KICK if k == 0 else rng.choice([TAMB, SIDE]), b * bar + k * beat, .2, 80 if k == 0 else 55)
    return song.done()


def drums(song, rng, style, start, bars, fill=True):
    bar = song.bar
    sub = rng.choice([.5, .5, .25, 1])
    ride = rng.choice([HAT, HAT, HAT, RIDE, SHAKER])
    kicks = {"rock": [[0, 2], [0, 2, 2.5], [0, 1.5, 2], [0, .5, 2], [0, 2.5]], "half": [[0], [0, 2.5], [0, 1.5], [0, .75], [0, 3.5]],
             "floor": [[0, 1, 2, 3]], "punk": [[0, 1, 2, 3], [0, .5, 2, 2.5]], "ballad": [[0, 2], [0, 2.5], [0, 1.5, 2.5], [0], [0, 1.5, 2]],
             "break": [[0, 2.5], [0, .5, 2.5], [0, .75, 2.25]]}[style]
    kick = rng.choice(kicks)
    snare = {"rock": [1, 3], "half": [2], "floor": rng.choice([[1, 3], []]), "punk": [.5, 1.5, 2.5, 3.5] if rng.random() < .5 else [1, 3],
             "ballad": rng.choice([[1, 3], [1, 3], [2]]), "break": [1, 3]}[style]
    tone = rng.choice([SNARE, SNARE, SNARE, SIDE, CLAP])
    off = style == "floor" and rng.random() < .6
    swing = rng.random() < .1
    for b in range(start, start + bars):
        at = b * bar
        for k in kick:
            if k < bar:
                song.note(9, KICK, at + k, .2, 100)
        for k in snare:
            if k < bar:
                song.note(9, tone, at + k, .2, 98)
        k = .5 if off else 0
        while k < bar - 1e-9:
            shift = (1 / 6 if swing and sub == .5 and k % 1 == .5 else 0)
            song.note(9, ride, at + k + shift, .1, 70 if k % 1 == 0 else 56)
            k += 1 if off else sub
        if (b - start) % 8 == 0 and rng.random() < .5:
            song.note(9, CRASH, at, .5, 90)
        if fill and (b - start) % 4 == 3 and rng.random() < .5:
            for k in range(4):
                song.note(9, rng.choice([SNARE, TOM, TOM + 2]), at + bar - 1 + k / 4, .2, 84)


def ballad(rng):
    compound = rng.random() < .12
    three = not compound and rng.random() < .08
    count, unit = (rng.choice([6, 12]), 8) if compound else (3 if three else 4, 4)
    bpm = rng.uniform(45, 80) if compound else rng.choice([rng.uniform(54, 90), rng.uniform(60, 84), rng.uniform(85, 125)])
    mode = rng.choice(["major", "major", "major", "minor"])
    scale, tonic = SCALES[mode], rng.randint(54, 65)
    piano = rng.random() < .45
    keys = rng.choice([0, 0, 0, 1, 4, 5, 24, 25, 26, 46, 88])
    lead = keys if piano else rng.choice([0, 0, 11, 40, 48, 52, 53, 54, 56, 65, 68, 73, 81, 85, 26])
    song = Song(rng, count, unit, bpm, {0: lead, 1: keys, 2: 0 if piano else rng.choice([32, 33, 35]), 3: rng.choice([48, 49, 50, 52, 88, 89, 91])})
    bar, bars = song.bar, 40
    beat = 1.5 if compound else 1
    chords = rng.choice(PROGRESSIONS[mode]) + (rng.choice(PROGRESSIONS[mode]) if rng.random() < .5 else [])
    twice = not three and not compound and rng.random() < .3
    step = .5 if compound or rng.random() < .55 else .25
    figure = rng.choice(["arpeggio", "arpeggio", "block", "pulse", "alberti", "sparse", "stride"])
    shape = [rng.choice([0, 1, 2, 3]) for _ in range(8)]
    shape[0] = 0
    intro = rng.choice([0, 0, 2, 4])
    for b in range(bars):
        halves = [(0, bar)] if not twice else [(0, bar / 2), (bar / 2, bar / 2)]
        for h, (offset, length) in enumerate(halves):
            root = chords[(b * len(halves) + h) % len(chords)]
            notes, at = triad(scale, tonic, root), b * bar + offset
            wide = [notes[0] - 12, notes[0], notes[1], notes[2], notes[0] + 12]
            if figure in ("arpeggio", "alberti"):
                for k in range(int(round(length / step))):
                    p = [wide[0], wide[3], wide[2], wide[3]][k % 4] if figure == "alberti" else wide[0] if k == 0 else wide[1 + shape[k % 8]]
                    song.note(1, p, at + k * step, step * rng.choice([1, 2]), 74 if k == 0 else 60)
            elif figure == "pulse":
                for k in range(int(round(length / beat))):
                    for p in notes:
                        song.note(1, p, at + k * beat, beat, 66)
            elif figure == "stride":
                for k in range(int(round(length / beat))):
                    for p in ([wide[0]] if k % 2 == 0 else notes):
                        song.note(1, p, at + k * beat, beat, 68)
            else:
                for p in notes:
                    song.note(1, p, at, length, 66)
                if figure == "sparse" and length > 2:
                    for p in notes[1:]:
                        song.note(1, p, at + rng.choice([1.5, 2, 2.5]), 1, 54)
            low = notes[0] - 24 if notes[0] > 60 else notes[0] - 12
            song.note(2, low, at, length * .9 if piano else min(length, 1.5), 80)
            if length > 2 and rng.random() < .7:
                where = rng.choice([2, 1.5, 2.5, 3.5 if length > 3.5 else 2]) if not compound else 1.5
                if where < length:
                    song.note(2, low if rng.random() < .6 else low + 7, at + where, length - where, 72)
            if not piano and b >= intro and rng.random() < .9:
                for p in notes:
                    song.note(3, p, at, length, 46)
    rhythms = [[(a, n) for a, n in phrase_rhythm(rng, bar, .5, rng.choice([2, 4])) if rng.random() < .92] for _ in range(4)]
    if rng.random() < .4:  # sung lines anticipate and hold
        rhythms = [[(max(0, a + (.25 if step == .25 and rng.random() < .3 else 0)), n) for a, n in row] for row in rhythms]
    if rng.random() < .9:
        melody(song, rng, 0, scale, tonic, chords, bars, rhythms, 4, 13, .1, 96)
    if not piano and not three and not compound and rng.random() < .6:
        drums(song, rng, rng.choice(["ballad", "ballad", "ballad", "half", "rock"]), rng.choice([0, 4, 8]), 32)
    elif compound and rng.random() < .5:
        for b in range(bars):
            for k in range(count):
                song.note(9, HAT, b * bar + k * .5, .1, 62 if k % 3 == 0 else 48)
            for k in range(count // 3):
                song.note(9, KICK if k % 2 == 0 else SNARE, b * bar + k * 1.5, .2, 92)
    return song.done()


def band(rng):
    style = rng.choice(["rock", "rock", "floor", "floor", "punk", "half", "break", "waltz", "swing", "march"])
    count = 3 if style == "waltz" else rng.choice([4] * 12 + [3, 5, 7]) if style in ("rock", "half") else 4
    bpm = {"rock": rng.uniform(85, 160), "floor": rng.uniform(100, 180), "punk": rng.uniform(150, 230), "half": rng.uniform(110, 190), "break": rng.uniform(80, 175),
           "waltz": rng.uniform(90, 190), "swing": rng.uniform(90, 220), "march": rng.uniform(85, 135)}[style]
    mode = rng.choice(["major", "minor", "minor", "dorian", "mixolydian"])
    scale, tonic = SCALES[mode], rng.randint(52, 64)
    song = Song(rng, count, 4, bpm, {0: rng.choice(scores.MELODIC), 1: rng.choice([0, 4, 16, 24, 25, 26, 27, 29, 30, 48, 50, 61, 62, 81, 90]), 2: rng.choice(scores.BASSES),
                                    3: rng.choice([48, 50, 52, 89, 95])})
    bar, bars = song.bar, 48
    chords = rng.choice(PROGRESSIONS[mode])
    hold = rng.choice([1, 1, 1, 2])
    chords = [c for c in chords for _ in range(hold)]
    line = rng.choice(["eighths", "roots", "walk", "riff", "off", "sixteenths"])
    riff = sorted(rng.sample([k * .5 for k in range(int(bar * 2))], min(int(bar * 2), rng.randint(3, 6))))
    riff[0] = 0 if rng.random() < .85 else riff[0]
    comp = rng.choice(["hold", "off", "eighths", "quarters", "riff", "arpeggio", "none"])
    for b in range(bars):
        root, at = chords[b % len(chords)], b * bar
        notes = triad(scale, tonic, root)
        low = notes[0] - 24
        if style == "swing" or line == "walk":
            for k in range(count):
                song.note(2, pitch_of(scale, tonic - 24, root + rng.choice([0, 2, 4, 1, 5]) if k else root), at + k, .9, 88)
        elif line == "riff":
            for k in riff:
                song.note(2, low, at + k, .45, 92)
        else:
            step = {"eighths": .5, "roots": 2, "off": 1, "sixteenths": .25}[line]
            k = .5 if line == "off" else 0
            while k < bar - 1e-9:
                song.note(2, low + (12 if line == "sixteenths" and int(k * 4) % 4 == 2 else 0), at + k, min(step, 1) * .9, 90 if k % 1 == 0 else 80)
                k += step
        where = {"hold": [0], "off": [k + .5 for k in range(count)], "eighths": [k / 2 for k in range(2 * count)], "quarters": list(range(count)), "riff": riff, "none": [],
                 "arpeggio": [k / 2 for k in range(2 * count)]}[comp]
        for i, k in enumerate(where):
            for p in (notes if comp != "arpeggio" else [notes[i % 3]]):
                song.note(1, p, at + k, bar if comp == "hold" else .45, 70)
        if comp == "hold" or rng.random() < .3:
            for p in notes:
                song.note(3, p, at, bar, 48)
    if style == "swing":
        for b in range(bars):
            for k in range(count):
                song.note(9, RIDE, b * bar + k, .1, 76)
                if k % 2:
                    song.note(9, 44, b * bar + k, .1, 70)
                    song.note(9, RIDE, b * bar + k + 2 / 3, .1, 60)
                if rng.random() < .2:
                    song.note(9, rng.choice([KICK, SNARE]), b * bar + k + rng.choice([0, 2 / 3]), .1, 66)
    elif style in ("waltz", "march") or count != 4:
        for b in range(bars):
            for k in range(count):
                song.note(9, KICK if k == 0 or (style == "march" and k == 2) else rng.choice([SNARE, HAT]) if style == "march" else SNARE if k == count - 2 else HAT, b * bar + k, .1, 84)
                if style == "march" and rng.random() < .6:
                    for j in (.5, .75):
                        song.note(9, SNARE, b * bar + k + j, .1, 60)
    elif rng.random() < .9:
        drums(song, rng, style, rng.choice([0, 0, 0, 4]), 44)
    if rng.random() < .75:
        unit = rng.choice([.5, .5, .25, 1])
        melody(song, rng, 0, scale, tonic, chords, bars, [phrase_rhythm(rng, bar, unit, rng.choice([2, 4, 8])) for _ in range(rng.choice([1, 2, 4]))], 5, 15, .15, 94)
    return song.done()


def chamber(rng):
    """Chorales, minuets and keyboard pieces without drums."""
    count = rng.choice([4, 4, 3, 3, 2])
    bpm = rng.uniform(60, 160)
    mode = rng.choice(["major", "major", "minor"])
    scale, tonic = SCALES[mode], rng.randint(55, 66)
    one = rng.choice([0, 6, 19, 48, 52, 46, 24])
    song = Song(rng, count, 4, bpm, {0: one if rng.random() < .5 else rng.choice([40, 68, 71, 73, 56]), 1: one, 2: one if rng.random() < .6 else rng.choice([42, 43, 70, 32])})
    bar, bars = song.bar, 48
    kind = rng.choice(["chorale", "minuet", "alberti", "canon"])
    chords = [rng.choice(PROGRESSIONS[mode])[k % 4] for k in range(16)]
    chords[-1] = chords[7] = 0
    for b in range(bars):
        at, root = b * bar, chords[b % 16]
        notes = triad(scale, tonic - 12, root)
        if kind == "chorale":
            for k in range(count):
                r = (root + rng.choice([0, 0, 3, 4])) if k else root
                for p in triad(scale, tonic - 12, r):
                    song.note(1, p, at + k, 1, 70)
                song.note(2, pitch_of(scale, tonic - 24, r), at + k, 1, 74)
        elif kind == "alberti":
            for k in range(2 * count):
                song.note(1, notes[[0, 2, 1, 2][k % 4]], at + k / 2, .5, 62)
        elif kind == "minuet":
            song.note(2, notes[0] - 12, at, bar, 74)
            for k in range(1, count):
                for p in notes[1:]:
                    song.note(1, p, at + k, .8, 60)
        else:
            for k in range(2 * count):
                song.note(2, pitch_of(scale, tonic - 12, root + [0, 1, 2, 4, 3, 2, 1, 2][k % 8]), at + k / 2, .5, 70)
    melody(song, rng, 0, scale, tonic, chords, bars, [phrase_rhythm(rng, bar, rng.choice([.5, 1, .5]), rng.choice([2, 5])) for _ in range(4)], 5, 16, .04, 90)
    return song.done()


STYLES = [folk, folk, folk, ballad, ballad, ballad, band, band, chamber]


def compose(seed):
    """(name of the style, (ticks a quarter, events)) of piece `seed`."""
    rng = random.Random(f"compose/{seed}")
    style = STYLES[rng.randrange(len(STYLES))]
    return style.__name__, style(rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for i in range(args.count):
        name, (division, events) = compose(args.seed * 1_000_000 + i)
        midi_file.write(os.path.join(args.out, f"{name}-{args.seed}-{i:04d}.mid"), division, events)


if __name__ == "__main__":
    main()
