"""Reads, changes and writes standard MIDI files: enough to give every channel another instrument and to know who plays when."""
import struct


def variable(data, at):
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at


def to_variable(value):
    out = [value & 127]
    while value > 127:
        value >>= 7
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def read(path):
    """(ticks per quarter, [(tick, order, event bytes)] of all tracks in time order). Event bytes start with the status byte."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] != b"MThd":
        raise ValueError(f"{path}: not a standard MIDI file")
    size, _, tracks, division = struct.unpack(">IHHH", data[4:14])
    if division & 0x8000:
        raise ValueError(f"{path}: SMPTE time is not supported")
    at, events, order = 8 + size, [], 0
    for _ in range(tracks):
        length = struct.unpack(">I", data[at + 4:at + 8])[0]
        at, end = at + 8, at + 8 + length
        tick, status = 0, 0
        while at < end:
            delta, at = variable(data, at)
            tick += delta
            if data[at] & 128:
                status = data[at]
                at += 1
            if status == 0xFF:
                kind = data[at]
                n, start = variable(data, at + 1)
                event, at = bytes([0xFF, kind]) + to_variable(n) + data[start:start + n], start + n
            elif status in (0xF0, 0xF7):
                n, start = variable(data, at)
                event, at = None, start + n
            else:
                n = 1 if status >> 4 in (12, 13) else 2
                event, at = bytes([status]) + data[at:at + n], at + n
            if event and event[:2] != b"\xff\x2f":
                events.append((tick, order, event))
                order += 1
        at = end
    return division, sorted(events, key=lambda e: (e[0], e[1]))


def write(path, division, events):
    """Writes events as a single-track file."""
    body, last = bytearray(), 0
    for tick, _, event in events:
        body += to_variable(tick - last) + event
        last = tick
    body += b"\x00\xff\x2f\x00"
    with open(path, "wb") as f:
        f.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(body)) + bytes(body))


def seconds_of(division, events):
    """Start time in seconds of every event."""
    out, now, last, per_tick = [], 0.0, 0, 0.5 / division
    for tick, _, event in events:
        now += (tick - last) * per_tick
        last = tick
        out.append(now)
        if event[0] == 0xFF and event[1] == 0x51:
            per_tick = int.from_bytes(event[-3:], "big") / 1e6 / division
    return out


def notes(division, events):
    """Notes as (channel, key, velocity, program, start s, end s)."""
    out, open_notes, program = [], {}, [0] * 16
    for now, (_, _, event) in zip(seconds_of(division, events), events):
        kind, channel = event[0] >> 4, event[0] & 15
        if kind == 12:
            program[channel] = event[1]
        elif kind in (8, 9):
            key = (channel, event[1])
            if key in open_notes:
                start, velocity, patch = open_notes.pop(key)
                out.append((channel, event[1], velocity, patch, start, now))
            if kind == 9 and event[2]:
                open_notes[key] = (now, event[2], program[channel])
    return out
