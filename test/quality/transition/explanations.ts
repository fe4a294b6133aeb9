/**
 * Checks that explanations are true: does taking away the component named first change the score most?
 *
 *     node test/quality/transition/explanations.ts SEAMS_FOLDER [PAIRS]
 *
 * SEAMS_FOLDER holds index.jsonl and `<id>.f32` (export-features.ts). Half of the pairs (default 200) are continuations, half
 * are windows of different packages. A component is taken away in two ways: as the product does it (`score` without it), and,
 * independent of that, in the features themselves, where the head's group is replaced by that of each of 24 heads of other
 * packages (change of the mean score).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@earmark/kernel';
import { builtInModel, explainPair, featureLayout, featureSize, type Component } from '@earmark/transition';

type Entry = Readonly<{ id: string; package: string; seams: number }>;
type Window = Readonly<{ package: string; row: Float32Array }>;
type Seam = Readonly<{ tail: Window; head: Window }>;

const [folder, wanted = '200'] = process.argv.slice(2);
const pairs = Number(wanted);
const strangers = 48;
const model = builtInModel();
const random = seededRandom(11);

const seams: Seam[] = readFileSync(join(folder, 'index.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .flatMap((line) => {
    const entry = JSON.parse(line) as Entry;
    const bytes = readFileSync(join(folder, `${entry.id}.f32`));
    const rows = new Float32Array(new Uint8Array(bytes).buffer);
    const window = (n: number): Window => ({
      package: entry.package,
      row: rows.subarray(n * featureSize, (n + 1) * featureSize),
    });
    return Array.from({ length: entry.seams }, (_, i) => ({ tail: window(4 * i), head: window(4 * i + 2) }));
  });

function pick(): Seam {
  return seams[Math.floor(random.next() * seams.length)];
}

function pickOther(than: string): Seam {
  let seam = pick();
  while (seam.tail.package === than) seam = pick();
  return seam;
}

/** Change of the mean score when the head has that component from other music. */
function changeInFeatures(tail: Float32Array, head: Window, component: Component): number {
  const full = model.score(tail, model.embed(head.row, 'head'));
  const { start, size } = featureLayout[component];
  let mean = 0;
  for (let i = 0; i < strangers; i++) {
    const row = head.row.slice();
    row.set(pickOther(head.package).head.row.subarray(start, start + size), start);
    mean += model.score(tail, model.embed(row, 'head')) / strangers;
  }
  return Math.abs(full - mean);
}

function largest(changes: ReadonlyMap<Component, number>): Component {
  return [...changes].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

let [byScore, byFeatures] = [0, 0];
const first = new Map<Component, number>();
for (let i = 0; i < pairs; i++) {
  const { tail, head: own } = pick();
  const head = i % 2 === 0 ? own : pickOther(tail.package).head;
  const [tailCode, headCode] = [model.embed(tail.row, 'tail'), model.embed(head.row, 'head')];
  const named = explainPair(model, tailCode, headCode)[0].code;
  first.set(named, (first.get(named) ?? 0) + 1);
  const full = model.score(tailCode, headCode);
  const without = new Map(
    model.components.map((c) => [c, Math.abs(full - model.score(tailCode, headCode, [c]))]),
  );
  const replaced = new Map(model.components.map((c) => [c, changeInFeatures(tailCode, head, c)]));
  if (largest(without) === named) byScore++;
  if (largest(replaced) === named) byFeatures++;
}
const report = {
  pairs,
  byScore: byScore / pairs,
  byFeatures: byFeatures / pairs,
  first: Object.fromEntries(first),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
