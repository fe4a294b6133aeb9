import { conceptId } from './ontology/concept.js';
import type { Ontology } from './ontology/ontology.js';
import type { HeardTrack } from './heard-track.js';

/** Two moods of a model that are opposed to each other. */
export type OpposedMoods = Readonly<{
  /** Indices of their tags. */
  first: number;
  second: number;
  /** A contrast of the model's own, proven on labelled data, says which of the two is heard. */
  isProven: boolean;
  /** Log-odds of the first against the second in segment `k`. */
  leadAt(k: number): number;
}>;

/** Every pair of opposed moods that a model knows; by the model's contrast where it has one, else by the moods' own log-odds. */
export function opposedMoods(heard: HeardTrack, ontology: Ontology): readonly OpposedMoods[] {
  const moods = heard.model.tags.flatMap(({ facet }, t) => (facet === 'mood' ? [t] : []));
  const idOf = (t: number) => conceptId('mood', heard.model.tags[t].tag);
  return moods.flatMap((a) =>
    moods
      .filter((b) => b > a && ontology.opposedTo(idOf(a)).has(idOf(b)))
      .map((b) => contrasted(heard, a, b) ?? plain(heard, a, b)),
  );
}

function plain({ logOdds, tagCount }: HeardTrack, first: number, second: number): OpposedMoods {
  const leadAt = (k: number): number => logOdds[k * tagCount + first] - logOdds[k * tagCount + second];
  return { first, second, isProven: false, leadAt };
}

function contrasted(
  { model, outputs, tagCount }: HeardTrack,
  a: number,
  b: number,
): OpposedMoods | undefined {
  const names = [model.tags[a].tag, model.tags[b].tag];
  const contrast = model.contrasts?.find(({ moods }) => moods.every((mood) => names.includes(mood)));
  if (contrast === undefined) return undefined;
  const [first, second] = contrast.moods[0] === names[0] ? [a, b] : [b, a];
  const leads = new Float64Array(outputs.count);
  for (let k = 0; k < outputs.count; k++) {
    let lead = contrast.offset;
    for (let t = 0; t < tagCount; t++) lead += contrast.weights[t] * outputs.logits[k * tagCount + t];
    leads[k] = lead;
  }
  return { first, second, isProven: true, leadAt: (k) => leads[k] };
}
