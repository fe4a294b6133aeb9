#!/bin/sh
# From nothing to an exported, calibrated and scored model.
#
#   reproduce.sh [--quick] AUDIO_INDEX.tsv AUDIO_FOLDER SHARED_FOLDER CACHE_FOLDER OUT_FOLDER FONT.sf2 [FONT...]
#
# AUDIO_INDEX.tsv and AUDIO_FOLDER come from ../data/fetch_debian_music.py; SHARED_FOLDER holds midi, sound, teachers,
# harness and music/macleod. Settings in the environment, with their defaults: EXAMPLES (6000 labelled), UNLABELLED (4000 for
# the stage without labels), SEEN (40000 examples of training), WORKERS (2), EVERY (3: a third of the audio), SONGS (2: every
# second MIDI file), VARIANTS (1 remapped rendering beside the song itself). --quick is the same chain on a sample in a few
# minutes. It ends with an error if macro AUC is under FLOOR. Every stage may be stopped and started again: it goes on where
# it was. The CPU time of this call is printed at the end.
set -eu
quick=''
if [ "$1" = --quick ]; then quick=yes; shift; fi
INDEX=$1 AUDIO=$2 SHARED=$3 CACHE=$4 OUT=$5
shift 5
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$here"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
if [ "$quick" ]; then
  EXAMPLES=${EXAMPLES:-1000} UNLABELLED=${UNLABELLED:-1000} SEEN=${SEEN:-10000} EVERY=${EVERY:-12} HELDOUT=500 VARIANTS=1 SONGS=10 FLOOR=${FLOOR:-0.58}
fi
EXAMPLES=${EXAMPLES:-6000} UNLABELLED=${UNLABELLED:-4000} SEEN=${SEEN:-40000} EVERY=${EVERY:-3} HELDOUT=${HELDOUT:-500}
VARIANTS=${VARIANTS:-1} SONGS=${SONGS:-2} FLOOR=${FLOOR:-0.70} WORKERS=${WORKERS:-2}
fonts=''
for font in "$@"; do fonts="$fonts --font $font"; done
material="--music $CACHE/music --midi $CACHE/midi --voices $CACHE/voices --sound $SHARED/sound --teachers $SHARED/teachers --duplicates $CACHE/duplicates.tsv"
labels="--labels $SHARED/music/macleod/labels.tsv --map $SHARED/harness/tagging/label_map.tsv --harness $SHARED/harness/tagging"
stage() { echo "== $1 ($(date -u +%H:%M:%S))"; }
mkdir -p "$CACHE"

stage decode
python3 decode_audio.py "$INDEX" "$AUDIO" "$CACHE/music" --every "$EVERY"
stage duplicates
[ -f "$CACHE/duplicates.tsv" ] || python3 duplicates.py "$CACHE/music" "$SHARED/music/macleod" "$CACHE/duplicates.tsv"
stage render
python3 render_midi.py "$SHARED/midi" "$CACHE/midi" $fonts --variants "$VARIANTS" --every "$SONGS"
stage speak
[ -f "$CACHE/voices/tracks.jsonl" ] || python3 make_speech.py "$CACHE/voices"
stage label
half=$((EXAMPLES / WORKERS))
for k in $(seq 0 $((WORKERS - 1))); do
  python3 make_pool.py "$CACHE/pool" $material --examples "$half" --worker "$k" --clean 0.5 --midi-share 0.25 --deck 1 --workers "$WORKERS" --place "$k" &
done
wait
stage "label, unseen"
python3 make_pool.py "$CACHE/heldout" $material --examples "$HELDOUT" --split heldout --clean 0.6 --seed 99
stage pretrain
[ -f "$CACHE/pretrain/pretrained.pt" ] || python3 pretrain.py "$CACHE/pool" "$CACHE/pretrain" --examples "$UNLABELLED"
stage train
[ -f "$CACHE/run/final.pt" ] || python3 train.py "$CACHE/pool" "$CACHE/run" --tracks "$CACHE/music/tracks.jsonl" --teachers "$SHARED/teachers" \
  --pretrained "$CACHE/pretrain/pretrained.pt" --max-examples "$SEEN" --bend 0.5
stage export
python3 export.py "$CACHE/run/final.pt" "$OUT" --version 0.0.1 --half
python3 predict.py "$OUT" "$SHARED/music/macleod" "$CACHE/macleod.jsonl" --npz "$CACHE/macleod.npz"
stage calibrate
python3 calibrate.py "$OUT" --segments "$CACHE/macleod.npz" $labels --pool "$CACHE/heldout" --statistics "$CACHE/run/final.pt" --report "$CACHE/calibration.json"
python3 contrasts.py "$OUT" --segments "$CACHE/macleod.npz" $labels --pool "$CACHE/pool" --teachers "$SHARED/teachers"
python3 golden.py "$OUT" "$CACHE/golden"
stage evaluate
baseline=''
if [ -z "$quick" ]; then
  [ -f "$CACHE/teachers.combined.jsonl" ] || python3 "$SHARED/harness/tagging/teachers.py" "$SHARED/music/macleod" "$CACHE/teachers"
  baseline="--baseline $CACHE/teachers.combined.jsonl"
fi
python3 "$SHARED/harness/tagging/score.py" "$CACHE/macleod.jsonl" "$SHARED/music/macleod/labels.tsv" \
  --map "$SHARED/harness/tagging/label_map.tsv" --dataset macleod --json "$CACHE/score.json" $baseline
stage "done; CPU of this shell and of its stages, user and system:"
times
python3 -c "
import json, sys
auc = json.load(open('$CACHE/score.json'))['macro']['ALL']['auc']
print(f'macro ROC-AUC {auc:.3f}, floor $FLOOR')
sys.exit(auc < $FLOOR)"
