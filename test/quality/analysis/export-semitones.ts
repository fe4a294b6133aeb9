/**
 * Exports semitone spectra, which training/beat fits the note model to.
 *
 *     node test/quality/analysis/export-semitones.ts CLIPS.jsonl OUT_FOLDER
 *
 * A line of CLIPS is a clip of 16 kHz mono PCM: `id`, `path`, `format` ("s16" or "f32"), `start` and `seconds` in the file.
 * Writes OUT/semitones.jsonl (`id`, `frames`) and, in the same order, OUT/semitones.u8: a byte a note, 255 = 1.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SemitoneSpectrum } from '@earmark/analysis';
import { type ClipPlace, readClip } from './read-clip.ts';

const [list, out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const listing = join(out, 'semitones.jsonl');
const values = join(out, 'semitones.u8');
writeFileSync(listing, '');
writeFileSync(values, '');
for (const line of readFileSync(list, 'utf8').trim().split('\n')) {
  const clip = JSON.parse(line) as ClipPlace & { id: string };
  let frames = 0;
  const rows: Uint8Array[] = [];
  const spectrum = new SemitoneSpectrum((row) => {
    frames++;
    rows.push(Uint8Array.from(row, (value) => Math.round(255 * value)));
  });
  spectrum.push(readClip(clip));
  spectrum.flush();
  appendFileSync(values, Buffer.concat(rows));
  appendFileSync(listing, JSON.stringify({ id: clip.id, frames }) + '\n');
}
