import { DomainError } from '@earmark/kernel';

/** Pins or locks that no order can satisfy. */
export class ImpossibleSequenceError extends DomainError {
  readonly code = 'transition.impossible-sequence';
}

/** A track to order; `energy` 0..1 among those of the set. */
export type SequenceItem = Readonly<{ id: string; durationMs: number; energy: number }>;

/** A wanted energy at a share of the sequence, both 0..1; between points the curve is straight. */
export type EnergyPoint = Readonly<{ at: number; energy: number }>;

/** What an order must and should be like. */
export type SequenceWishes = Readonly<{
  /** How well item `j` follows item `i`, 0..1. */
  score: (i: number, j: number) => number;
  /** Wanted energy, points in any order; absent: energy does not matter. */
  curve?: readonly EnergyPoint[];
  /** Items at fixed positions from 0; -1 is the last one. */
  pins?: readonly Readonly<{ item: number; position: number }>[];
  /** Items that must follow each other without a break, in this order. */
  locks?: readonly (readonly number[])[];
  /** Longest total, ms; what does not fit is left out, pinned and locked items last. */
  budgetMs?: number;
}>;

/** An order: indices of items, what was left out, and how good it is (mean score less mean distance to the curve). */
export type Sequence = Readonly<{ order: readonly number[]; leftOut: readonly number[]; value: number }>;

const energyWeight = 1;
/** Enough for 100 items to settle; bounds the time of any input. */
const mostPasses = 15;

/**
 * Orders items: as good as possible from each to the next and along the energy curve. Built greedily, then bettered by
 * moving, exchanging and replacing blocks until nothing helps; the same input gives the same order.
 *
 * @throws {ImpossibleSequenceError} if pins and locks contradict each other or do not fit into the budget
 */
export function orderSequence(items: readonly SequenceItem[], wishes: SequenceWishes): Sequence {
  return new SequenceSearch(items, wishes).run();
}

/** The wanted energy at a share of the sequence. @param curve in the order of its points */
export function energyAt(curve: readonly EnergyPoint[], at: number): number {
  const after = curve.findIndex((point) => point.at >= at);
  if (after <= 0) return (after === 0 ? curve[0] : curve.at(-1))?.energy ?? 0;
  const [a, b] = [curve[after - 1], curve[after]];
  return b.at === a.at ? b.energy : a.energy + ((at - a.at) / (b.at - a.at)) * (b.energy - a.energy);
}

/** Items that stay together: a lock, or one item. */
type Block = Readonly<{ items: readonly number[]; durationMs: number; required: boolean }>;

class SequenceSearch {
  private readonly blocks: readonly Block[];
  private readonly pins: ReadonlyMap<number, number>;
  private readonly budgetMs: number;
  private readonly requiredBlocks: number;
  private readonly curve: readonly EnergyPoint[] | undefined;

  constructor(
    private readonly items: readonly SequenceItem[],
    private readonly wishes: SequenceWishes,
  ) {
    this.pins = new Map((wishes.pins ?? []).map(({ item, position }) => [item, position]));
    this.budgetMs = wishes.budgetMs ?? Infinity;
    this.curve = wishes.curve?.toSorted((a, b) => a.at - b.at);
    const locked = (wishes.locks ?? []).flat();
    const positions = [...this.pins.values()];
    if (new Set(locked).size < locked.length) throw new ImpossibleSequenceError('an item is in two locks');
    if (new Set(positions).size < (wishes.pins ?? []).length)
      throw new ImpossibleSequenceError('two items are pinned to one position');
    const singles = items.flatMap((_, i) => (locked.includes(i) ? [] : [[i]]));
    this.blocks = [...(wishes.locks ?? []), ...singles].map((members) => ({
      items: members,
      durationMs: members.reduce((sum, i) => sum + items[i].durationMs, 0),
      required: members.length > 1 || members.some((i) => this.pins.has(i)),
    }));
    this.requiredBlocks = this.blocks.filter(({ required }) => required).length;
  }

  run(): Sequence {
    let best = this.start();
    let value = this.valueOf(best);
    for (let pass = 0; pass < mostPasses; pass++) {
      const before = value;
      for (const candidate of this.neighbours(() => best)) {
        if (!this.isAllowed(candidate)) continue;
        const worth = this.valueOf(candidate);
        if (worth > value + 1e-9) [best, value] = [candidate, worth];
      }
      if (value === before) break;
    }
    const order = best.flatMap(({ items }) => items);
    const used = new Set(order);
    return { order, leftOut: [...this.items.keys()].filter((i) => !used.has(i)), value };
  }

  /** Required blocks first, then what fits the budget, in a greedy order that keeps the pins. */
  private start(): Block[] {
    const chosen = this.blocks.filter(({ required }) => required);
    let spentMs = chosen.reduce((sum, { durationMs }) => sum + durationMs, 0);
    if (spentMs > this.budgetMs)
      throw new ImpossibleSequenceError('what is pinned and locked exceeds the budget');
    for (const block of this.blocks) {
      if (block.required || spentMs + block.durationMs > this.budgetMs) continue;
      chosen.push(block);
      spentMs += block.durationMs;
    }
    const placed = this.place(chosen);
    if (placed === undefined) throw new ImpossibleSequenceError('no order satisfies the pins and locks');
    return placed;
  }

  /** Puts pinned blocks to their places and fills the gaps: longest blocks first where they must fit, then by score. */
  private place(chosen: readonly Block[]): Block[] | undefined {
    const total = chosen.reduce((sum, { items }) => sum + items.length, 0);
    const fixed = new Map<number, Block>();
    for (const block of chosen) {
      const member = block.items.findIndex((i) => this.pins.has(i));
      if (member < 0) continue;
      const position = this.positionOf(block.items[member], total) - member;
      if (position < 0 || position + block.items.length > total) return undefined;
      fixed.set(position, block);
    }
    const starts = [...fixed.keys()].sort((a, b) => a - b);
    const free = chosen.filter((block) => ![...fixed.values()].includes(block));
    const byLength = [...free].sort((a, b) => b.items.length - a.items.length);
    const gaps: { room: number; blocks: Block[]; next: Block | undefined }[] = [];
    let at = 0;
    for (const start of [...starts, total]) {
      if (start < at) return undefined;
      const next = fixed.get(start);
      gaps.push({ room: start - at, blocks: [], next });
      at = start + (next?.items.length ?? 0);
    }
    for (const block of byLength) {
      const gap = gaps.find(({ room }) => room >= block.items.length);
      if (gap === undefined) return undefined;
      gap.blocks.push(block);
      gap.room -= block.items.length;
    }
    if (gaps.some(({ room }) => room > 0)) return undefined;
    const order: Block[] = [];
    for (const { blocks, next } of gaps) {
      const left = new Set(blocks);
      while (left.size > 0) {
        const last = order.at(-1)?.items.at(-1);
        const follow = ({ items }: Block): number =>
          last === undefined ? 0 : this.wishes.score(last, items[0]);
        const best = [...left].reduce((a, b) => (follow(b) > follow(a) ? b : a));
        order.push(best);
        left.delete(best);
      }
      if (next !== undefined) order.push(next);
    }
    const isKept = this.isAllowed(order);
    return isKept ? order : undefined;
  }

  /** Orders one step away from the best one so far: a block moved, two exchanged, one replaced, one added. */
  private *neighbours(best: () => readonly Block[]): Generator<Block[]> {
    for (let i = 0; i < best().length; i++) {
      for (let j = 0; j < best().length; j++) {
        if (i === j) continue;
        const moved = best().toSpliced(i, 1);
        moved.splice(j, 0, best()[i]);
        yield moved;
        if (i < j) yield best().with(i, best()[j]).with(j, best()[i]);
      }
    }
    for (const block of this.blocks) {
      for (let i = 0; i <= best().length && !best().includes(block); i++) {
        yield best().toSpliced(i, 0, block);
        if (i < best().length && !best().includes(block)) yield best().with(i, block);
      }
    }
  }

  private isAllowed(order: readonly Block[]): boolean {
    let [total, durationMs, required] = [0, 0, 0];
    for (const block of order) {
      total += block.items.length;
      durationMs += block.durationMs;
      if (block.required) required++;
    }
    if (durationMs > this.budgetMs || required < this.requiredBlocks) return false;
    if (this.pins.size === 0) return true;
    let position = 0;
    for (const { items } of order) {
      for (const item of items) {
        if (this.pins.has(item) && this.positionOf(item, total) !== position) return false;
        position++;
      }
    }
    return true;
  }

  private positionOf(item: number, total: number): number {
    const position = this.pins.get(item) ?? 0;
    return position < 0 ? total + position : position;
  }

  /** Mean score of neighbours less mean squared distance to the curve; a fuller budget counts a little. */
  private valueOf(order: readonly Block[]): number {
    const { curve, items } = this;
    const { score } = this.wishes;
    const count = order.reduce((sum, block) => sum + block.items.length, 0);
    if (count === 0) return 0;
    let [joins, stray, spentMs, position, last] = [0, 0, 0, 0, -1];
    for (const block of order) {
      spentMs += block.durationMs;
      for (const item of block.items) {
        if (last >= 0) joins += score(last, item);
        if (curve !== undefined) {
          const at = count > 1 ? position / (count - 1) : 0;
          stray += (items[item].energy - energyAt(curve, at)) ** 2;
        }
        last = item;
        position++;
      }
    }
    const filled = Number.isFinite(this.budgetMs) ? spentMs / this.budgetMs : 0;
    return joins / Math.max(1, count - 1) - (energyWeight * stray) / count + filled / 2;
  }
}
