// Where pictures are in the grid: justified rows of their own shapes, or squares. Pure functions, without the page.

export const MAX_RATIO = 3; // wider pictures are cropped, and so are those that are narrower than the inverse
const FULLEST = 0.8; // a picture is at most this wide, as a share of the row, so that no row is much lower than others

/**
 * Divide `count` pictures from `start` into rows of equal height. A row ends where its height is nearest to `target`;
 * the last one keeps `target` if it is not full. `ratio(index)` is width by height. Returns [{ start, count, height }].
 */
export function justify({ start, count, ratio, width, gap, target }) {
  const rows = [];
  const widest = Math.max(1, (FULLEST * width) / target);
  const bounded = (index) => bound(ratio(index), widest);
  const end = start + count;
  let [first, sum] = [start, 0];
  for (let index = start; index < end; index += 1) {
    const own = bounded(index);
    const number = index - first + 1;
    if (own * target + sum * target + gap * (number - 1) < width) {
      sum += own;
      continue;
    }
    const low = (width - gap * (number - 1)) / (sum + own); // the height with this picture
    const high = number > 1 ? (width - gap * (number - 2)) / sum : Infinity; // and without it
    if (low * high >= target * target) { // the first is nearer, as a factor
      rows.push({ start: first, count: number, height: low });
      [first, sum] = [index + 1, 0];
    } else {
      rows.push({ start: first, count: number - 1, height: high });
      [first, sum] = [index, own];
    }
  }
  if (first < end) rows.push({ start: first, count: end - first, height: target });
  return rows;
}

const bound = (ratio, widest) => Math.min(Math.max(ratio, 1 / MAX_RATIO), MAX_RATIO, widest);

/**
 * Arrange blocks of pictures: `[{ start, count, heading, group? }]`, in order. `heading` is the height above the pictures
 * of a block, and a group has its own above its first block: `{ heading }`. With `beside`, blocks of a group that fill
 * less than a row share one, each at least `narrowest` wide.
 */
export function arrange(blocks, { ratio, width, gap, target, beside = false, apart = 4 * gap, narrowest = 0 }) {
  const widest = Math.max(1, (FULLEST * width) / target);
  const made = { starts: [], tops: [], heights: [], lefts: [], rowBlocks: [], blocks: [], groups: [] };
  let [top, left, group] = [0, 0, null];
  let line = 0; // the height of blocks that stand side by side
  const endLine = () => {
    top += line;
    [left, line] = [0, 0];
  };
  const addRow = (row, y, x) => {
    made.starts.push(row.start);
    made.tops.push(y);
    made.heights.push(row.height);
    made.lefts.push(x);
    made.rowBlocks.push(made.blocks.length);
  };
  for (const block of blocks) {
    if (block.group && block.group !== group) {
      endLine();
      if (group) made.groups.at(-1).height = top - made.groups.at(-1).top;
      group = block.group;
      made.groups.push({ top, height: 0, first: made.blocks.length, of: group });
      top += group.heading;
    }
    const across = beside ? widthOf(block, { ratio, gap, target, widest, most: width }) : Infinity;
    if (across <= width) {
      const own = Math.min(width, Math.max(across, narrowest));
      if (left && left + own > width) endLine();
      addRow({ start: block.start, height: target }, top + block.heading, left);
      const height = block.heading + Math.round(target);
      made.blocks.push({ top, left, width: own, height, group: made.groups.length - 1 });
      left += own + apart;
      line = height + apart;
    } else {
      endLine();
      let y = top + block.heading;
      const rows = justify({ ...block, ratio, width, gap, target });
      for (const row of rows) {
        addRow(row, y, 0);
        y += Math.round(row.height) + gap;
      }
      const height = Math.max(block.heading, y - gap - top);
      made.blocks.push({ top, left: 0, width, height, group: made.groups.length - 1 });
      top += height + (beside ? apart : gap);
    }
  }
  endLine();
  if (group) made.groups.at(-1).height = top - made.groups.at(-1).top;
  const last = blocks.at(-1);
  return new Arrangement(made, last ? last.start + last.count : 0, top, { ratio, gap, widest });
}

/** The width of a block in one row, or Infinity if that is more than `most`. */
function widthOf({ start, count }, { ratio, gap, target, widest, most }) {
  let sum = gap * (count - 1);
  for (let index = start; index < start + count; index += 1) {
    sum += bound(ratio(index), widest) * target;
    if (sum > most) return Infinity;
  }
  return sum;
}

/** The rows of all pictures, and where each picture is. */
class Arrangement {
  constructor({ starts, tops, heights, lefts, rowBlocks, blocks, groups }, count, height, { ratio, gap, widest }) {
    this.starts = Int32Array.from(starts);
    this.tops = Float64Array.from(tops);
    this.heights = Float64Array.from(heights);
    this.lefts = Float64Array.from(lefts);
    this.rowBlocks = Int32Array.from(rowBlocks);
    this.tallest = heights.reduce((most, each) => Math.max(most, each), 0);
    Object.assign(this, { blocks, groups, count, height, ratio, gap, widest });
  }

  /** The number of the row of a picture. */
  rowOf(index) {
    return lastUpTo(this.starts, index);
  }

  endOf(row) {
    return row + 1 < this.starts.length ? this.starts[row + 1] : this.count;
  }

  /** Position and size of a picture in pixels, and the number of its block. The edges of a row are whole pixels. */
  place(index) {
    const row = this.rowOf(index);
    const height = this.heights[row];
    let before = 0;
    for (let other = this.starts[row]; other < index; other += 1) before += bound(this.ratio(other), this.widest) * height + this.gap;
    const after = before + bound(this.ratio(index), this.widest) * height;
    const x = Math.round(before);
    return { x: this.lefts[row] + x, y: this.tops[row], width: Math.round(after) - x, height: Math.round(height), block: this.rowBlocks[row] };
  }

  /** The pictures between two heights, as the first index and the one after the last. */
  between(top, bottom) {
    if (!this.count) return [0, 0];
    const rows = this.rowsBetween(top, bottom);
    return rows[0] > rows[1] ? [0, 0] : [this.starts[rows[0]], this.endOf(rows[1])];
  }

  rowsBetween(top, bottom) {
    let first = Math.max(0, lastUpTo(this.tops, top - this.tallest));
    while (first < this.tops.length && this.tops[first] + this.heights[first] < top) first += 1;
    return [first, lastUpTo(this.tops, bottom)];
  }

  /** The picture nearest to `index` in the next row (`by` is 1) or the previous one (-1); null if there is none. */
  vertical(index, by) {
    const { x, width, y } = this.place(index);
    let row = this.rowOf(index);
    while (row >= 0 && row < this.tops.length && this.tops[row] === y) row += by;
    if (row < 0 || row >= this.tops.length) return null;
    const middle = x + width / 2;
    let [best, least] = [null, Infinity];
    for (const level = this.tops[row]; this.tops[row] === level; row += by) {
      for (let other = this.starts[row]; other < this.endOf(row); other += 1) {
        const its = this.place(other);
        const away = Math.abs(its.x + its.width / 2 - middle);
        if (away < least) [best, least] = [other, away];
      }
    }
    return best;
  }
}

/** The position of the last value up to `wanted` in ascending `values`; -1 if all are larger. */
function lastUpTo(values, wanted) {
  let [low, high] = [-1, values.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
