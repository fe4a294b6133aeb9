#!/usr/bin/env python3
"""Fetch the free music that Debian packages carry, track by track.

Reads a list with the columns package, path, seconds, group, kind, weak_words
(others are ignored), downloads each package with `apt-get download`, keeps
only the listed tracks and the package's debian/copyright, and deletes the
.deb. A path with `.pk3!/` lies inside a .pk3 file (a zip archive) of the
package; it is written below a folder named like that file.

    fetch_debian_music.py --list LIST.tsv --out DIR
    fetch_debian_music.py --list LIST.tsv --out DIR --packages 'ufoai-*' zaz-data
    fetch_debian_music.py --list LIST.tsv --out DIR --minutes-limit 600

Files land in DIR/<package>/<path inside the package>. DIR/index.tsv names
every track that is there; DIR/STATUS says how far the run is. A second run
fetches only what is missing. Two runs into one DIR exclude each other.

Needs a Debian system whose apt lists are up to date, and dpkg-deb. No root.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import csv
import dataclasses
import fcntl
import fnmatch
import os
import pathlib
import posixpath
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ARCHIVE_MARK = ".pk3!/"
INDEX_COLUMNS = ("package", "path", "seconds", "group", "kind", "weak_words")
DOWNLOAD_ATTEMPTS = 3


@dataclasses.dataclass(frozen=True)
class Track:
    """One row of the list; `path` is the path inside the package as listed."""

    package: str
    path: str
    seconds: float
    group: str
    kind: str
    weak_words: str

    @property
    def member(self) -> str:
        """The file of the package that holds the track: itself, or the .pk3 around it."""
        if ARCHIVE_MARK in self.path:
            return self.path[: self.path.index(ARCHIVE_MARK) + len(".pk3")]
        return self.path

    @property
    def inner(self) -> str | None:
        """The name inside the .pk3, or None for a plain file."""
        if ARCHIVE_MARK in self.path:
            return self.path[self.path.index(ARCHIVE_MARK) + len(ARCHIVE_MARK) :]
        return None

    @property
    def stored(self) -> pathlib.PurePosixPath:
        """Where the track lies below the output folder."""
        relative = posixpath.normpath(self.path.replace(ARCHIVE_MARK, ".pk3/"))
        if relative.startswith(("/", "..")):
            raise ValueError(f"path leaves the package: {self.path}")
        return pathlib.PurePosixPath(self.package) / relative


def read_list(file: pathlib.Path) -> dict[str, list[Track]]:
    """Tracks by package, in the order of the list."""
    tracks: dict[str, list[Track]] = {}
    with file.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            track = Track(
                package=row["package"],
                path=row["path"],
                seconds=float(row["seconds"]),
                group=row.get("group") or "",
                kind=row.get("kind") or "music",
                weak_words=row.get("weak_words") or "",
            )
            tracks.setdefault(track.package, []).append(track)
    return tracks


def package_sizes(packages: list[str]) -> dict[str, int]:
    """Bytes of each package's .deb as the apt lists say; unknown packages are absent."""
    shown = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *packages],
        capture_output=True, text=True, check=False,
    ).stdout
    sizes: dict[str, int] = {}
    name = ""
    for line in shown.splitlines():
        if line.startswith("Package: "):
            name = line[9:].strip()
        elif line.startswith("Size: "):
            sizes.setdefault(name, int(line[6:]))
    return sizes


def is_there(out: pathlib.Path, track: Track) -> bool:
    """Whether the track has been extracted (writes are atomic, so not empty is whole)."""
    file = out / track.stored
    return file.is_file() and file.stat().st_size > 0


def download(package: str, folder: pathlib.Path) -> pathlib.Path:
    """Download one .deb into a fresh folder and give its path; RuntimeError if apt fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    said = ""
    for attempt in range(DOWNLOAD_ATTEMPTS):
        result = subprocess.run(
            ["apt-get", "download", "-q", package],
            cwd=folder, capture_output=True, text=True, check=False,
        )
        found = sorted(folder.glob("*.deb"))
        if result.returncode == 0 and found:
            return found[0]
        said = (result.stderr.strip().splitlines() or ["apt-get failed without a word"])[-1]
        time.sleep(2 * (attempt + 1))
    raise RuntimeError(f"download: {said}")


def write_atomically(source, target: pathlib.Path) -> None:
    """Copy a stream to `target` so that a file of that name is always whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with part.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    os.replace(part, target)


def read_members(deb: pathlib.Path, wanted: set[str], take) -> dict[str, str]:
    """Call take(name, stream) for each wanted regular file; give link -> target for links."""
    links: dict[str, str] = {}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as tar:
            for member in tar:
                name = posixpath.normpath(member.name)
                if name not in wanted:
                    continue
                if member.isfile():
                    take(name, tar.extractfile(member))
                elif member.issym():
                    beside = posixpath.join(posixpath.dirname(name), member.linkname)
                    links[name] = posixpath.normpath(beside).lstrip("/")
                elif member.islnk():
                    links[name] = posixpath.normpath(member.linkname)
        if unpack.wait() != 0:
            raise RuntimeError("dpkg-deb could not unpack the package")
    return links


def extract(deb: pathlib.Path, tracks: list[Track], out: pathlib.Path) -> list[str]:
    """Write the tracks and debian/copyright below `out`; give the listed paths not found."""
    package = tracks[0].package
    by_member: dict[str, list[Track]] = {}
    for track in tracks:
        by_member.setdefault(track.member, []).append(track)
    notice = f"usr/share/doc/{package}/copyright"

    def take_as(member: str, stream) -> None:
        if member == notice:
            write_atomically(stream, out / package / notice)
            return
        plain = [track for track in by_member[member] if track.inner is None]
        inside = [track for track in by_member[member] if track.inner is not None]
        for track in plain:
            write_atomically(stream, out / track.stored)
        if inside:
            with tempfile.TemporaryFile(dir=out) as archive:
                shutil.copyfileobj(stream, archive, 1 << 20)
                with zipfile.ZipFile(archive) as pk3:
                    names = set(pk3.namelist())
                    for track in inside:
                        if track.inner in names:
                            with pk3.open(track.inner) as source:
                                write_atomically(source, out / track.stored)

    links = read_members(deb, {*by_member, notice}, take_as)
    aliases: dict[str, list[str]] = {}
    for link, target in links.items():
        aliases.setdefault(target, []).append(link)
    if aliases:
        def take_target(name: str, stream) -> None:
            first, *others = aliases[name]
            take_as(first, stream)
            for other in others:
                if other != notice and first != notice:
                    source = out / by_member[first][0].stored
                    with source.open("rb") as copy:
                        take_as(other, copy)

        read_members(deb, set(aliases), take_target)
    return [track.path for track in tracks if not is_there(out, track)]


def write_index(out: pathlib.Path, tracks: dict[str, list[Track]]) -> tuple[int, float]:
    """Rewrite index.tsv from what is on disk; give the number of tracks and their hours."""
    count, seconds = 0, 0.0
    part = out / "index.tsv.part"
    with part.open("w", encoding="utf-8") as sink:
        sink.write("\t".join(INDEX_COLUMNS) + "\n")
        for rows in tracks.values():
            for track in rows:
                if is_there(out, track):
                    cells = (track.package, str(track.stored), f"{track.seconds:.1f}",
                             track.group, track.kind, track.weak_words)
                    sink.write("\t".join(cells) + "\n")
                    count += 1
                    seconds += track.seconds
    os.replace(part, out / "index.tsv")
    return count, seconds / 3600


def write_status(out: pathlib.Path, text: str) -> None:
    """Replace STATUS and print the first line."""
    part = out / "STATUS.part"
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, out / "STATUS")
    print(text.splitlines()[0], flush=True)


def choose(tracks: dict[str, list[Track]], patterns: list[str] | None) -> list[str]:
    """Packages to fetch: in the order of the patterns, else the most music per byte first."""
    if patterns:
        chosen: list[str] = []
        for pattern in patterns:
            hits = [name for name in tracks if fnmatch.fnmatch(name, pattern)]
            if not hits:
                raise SystemExit(f"no package of the list is called {pattern}")
            chosen += [name for name in hits if name not in chosen]
        return chosen
    sizes = package_sizes(list(tracks))

    def seconds_per_byte(name: str) -> float:
        music = sum(track.seconds for track in tracks[name] if track.kind == "music")
        return music / sizes.get(name, 1 << 40)

    return sorted(tracks, key=seconds_per_byte, reverse=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", required=True, type=pathlib.Path, metavar="FILE.tsv")
    parser.add_argument("--out", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--packages", nargs="+", metavar="NAME", help="names or globs; default all")
    parser.add_argument("--minutes-limit", type=float, metavar="N",
                        help="stop after the package with which N minutes are on disk")
    options = parser.parse_args()

    out: pathlib.Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    lock = (out / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)

    tracks = read_list(options.list)
    chosen = choose(tracks, options.packages)
    todo = [name for name in chosen if not all(is_there(out, track) for track in tracks[name])]
    failures: dict[str, str] = {}
    count, hours = write_index(out, tracks)

    def report(state: str) -> None:
        lines = [f"{state}: {count} tracks, {hours:.2f} h on disk, "
                 f"{len(todo) - done} of {len(chosen)} packages to go, {len(failures)} failures"]
        lines += [f"failed: {name}: {why}" for name, why in failures.items()]
        write_status(out, "\n".join(lines))

    def over_limit() -> bool:
        return options.minutes_limit is not None and hours * 60 >= options.minutes_limit

    done = 0
    report("started")
    downloads = out / ".downloads"
    # One download runs ahead of the unpacking: the first waits for the network, the second for the CPU.
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as ahead:
        pending = ahead.submit(download, todo[0], downloads / todo[0]) if todo and not over_limit() else None
        for position, name in enumerate(todo):
            if pending is None:
                break
            current, pending = pending, None
            try:
                deb = current.result()
                if position + 1 < len(todo):
                    following = todo[position + 1]
                    pending = ahead.submit(download, following, downloads / following)
                missing = extract(deb, tracks[name], out)
                if missing:
                    failures[name] = f"{len(missing)} listed paths are not in the package, first {missing[0]}"
            except (RuntimeError, OSError, tarfile.TarError, zipfile.BadZipFile, ValueError) as error:
                failures[name] = str(error)
                if pending is None and position + 1 < len(todo):
                    following = todo[position + 1]
                    pending = ahead.submit(download, following, downloads / following)
            shutil.rmtree(downloads / name, ignore_errors=True)
            done += 1
            count, hours = write_index(out, tracks)
            report(f"after {name}")
            if over_limit():
                break
    shutil.rmtree(downloads, ignore_errors=True)
    report("finished")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
