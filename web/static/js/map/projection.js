// The Web Mercator projection (EPSG:3857). The world is a square from 0 to 1 in both directions, with the north at 0.

export const TILE = 256; // pixels of the world at zoom 0
export const MAX_ZOOM = 18;
const END = 85.0511287798066; // latitude of the upper end of the square: atan(sinh(pi))
const EQUATOR = 40_075_016.686; // metres

export const xOf = (longitude) => longitude / 360 + 0.5;
export const longitudeOf = (x) => (x - 0.5) * 360;

export function yOf(latitude) {
  const angle = (Math.max(-END, Math.min(END, latitude)) * Math.PI) / 180;
  return (1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2;
}

export const latitudeOf = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

/** Bring a longitude into -180..180. */
export const wrapped = (longitude) => (longitude < -180 || longitude > 180 ? ((((longitude + 180) % 360) + 360) % 360) - 180 : longitude);

/** Metres of one pixel at a latitude. */
export const metresPerPixel = (latitude, zoom) => (Math.cos((latitude * Math.PI) / 180) * EQUATOR) / (TILE * 2 ** zoom);

/**
 * What is visible of the world: `x` and `y` are its centre, `width` and `height` are pixels. `x` may leave 0..1, where
 * the world repeats.
 */
export class Camera {
  constructor({ x = 0.5, y = 0.45, zoom = 1, width = 1, height = 1 } = {}) {
    Object.assign(this, { x, y, zoom, width, height });
  }

  get scale() {
    return TILE * 2 ** this.zoom;
  }

  /** The smallest zoom: the world is as high as the map. */
  get leastZoom() {
    return Math.max(0, Math.log2(Math.max(this.height, 1) / TILE));
  }

  /** Pixels from the upper left corner. */
  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toWorld(left, top) {
    return [this.x + (left - this.width / 2) / this.scale, this.y + (top - this.height / 2) / this.scale];
  }

  /** Move to a centre and zoom, as far as the map allows. */
  moved({ x = this.x, y = this.y, zoom = this.zoom, width = this.width, height = this.height }) {
    const next = new Camera({ x, y, zoom, width, height });
    next.zoom = Math.max(next.leastZoom, Math.min(MAX_ZOOM, zoom));
    const half = height / 2 / next.scale;
    next.y = half >= 0.5 ? 0.5 : Math.max(half, Math.min(1 - half, y));
    next.x = x - Math.floor(x);
    return next;
  }

  /** Zoom by `steps`; the point of the world at `left`, `top` stays where it is. */
  zoomed(steps, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toWorld(left, top);
    const zoom = Math.max(this.leastZoom, Math.min(MAX_ZOOM, this.zoom + steps));
    const scale = TILE * 2 ** zoom;
    return this.moved({ x: x - (left - this.width / 2) / scale, y: y - (top - this.height / 2) / scale, zoom });
  }

  /** The visible box in degrees, enlarged by a share of its size. It crosses the date line if west is larger than east. */
  box(share = 0) {
    const [left, top] = this.toWorld(-this.width * share, -this.height * share);
    const [right, bottom] = this.toWorld(this.width * (1 + share), this.height * (1 + share));
    const whole = right - left >= 1;
    return {
      south: bottom >= 1 ? -90 : latitudeOf(bottom),
      west: whole ? -180 : wrapped(longitudeOf(left)),
      north: top <= 0 ? 90 : latitudeOf(top),
      east: whole ? 180 : wrapped(longitudeOf(right)),
    };
  }

  /** The centre in degrees, and the zoom. */
  get place() {
    return { latitude: latitudeOf(this.y), longitude: wrapped(longitudeOf(this.x)), zoom: this.zoom };
  }

  /** Return the camera that shows all of a box. */
  fitted({ south, west, north, east }, padding = 64) {
    const wide = widthOf({ west, east });
    const high = yOf(south) - yOf(north);
    const room = (pixels, size) => Math.log2(Math.max(pixels - 2 * padding, 40) / TILE / Math.max(size, 1e-9));
    const zoom = Math.min(room(this.width, wide), room(this.height, high), 14);
    return this.moved({ x: xOf(west) + wide / 2, y: (yOf(south) + yOf(north)) / 2, zoom });
  }

  /** The horizontal places of a point on the visible copies of the world, in pixels. */
  copies(x, margin = 0) {
    const found = [];
    const [first] = this.toWorld(-margin, 0);
    const [last] = this.toWorld(this.width + margin, 0);
    for (let copy = x + Math.ceil(first - x); copy <= last; copy += 1) found.push(this.toScreen(copy, 0)[0]);
    return found;
  }
}

/** The width of a box as a share of the world. */
export const widthOf = ({ west, east }) => xOf(east) - xOf(west) + (west > east ? 1 : 0);

/** Whether a box contains all of another one. */
export function contains(outer, inner) {
  const eastOfEdge = (degrees) => (((degrees - outer.west) % 360) + 360) % 360; // from the western edge
  const width = outer.west === -180 && outer.east === 180 ? 360 : eastOfEdge(outer.east);
  const [west, east] = [eastOfEdge(inner.west), eastOfEdge(inner.east)];
  const isWide = width === 360 || (west <= east && east <= width);
  return isWide && inner.south >= outer.south && inner.north <= outer.north;
}

/** Return the smallest box that contains all of `boxes`: it leaves out the widest gap between their meridians. */
export function around(boxes) {
  const spans = boxes.map(({ west, east }) => [west, east < west ? east + 360 : east]).sort((a, b) => a[0] - b[0]);
  let [west, end] = spans[0];
  let gap = -Infinity;
  let reach = spans[0][1];
  for (const [from, to] of [...spans.slice(1), [spans[0][0] + 360, 0]]) {
    if (from - reach > gap) [gap, west, end] = [from - reach, from, reach];
    reach = Math.max(reach, to);
  }
  const whole = gap <= 0;
  return {
    south: Math.min(...boxes.map((box) => box.south)),
    north: Math.max(...boxes.map((box) => box.north)),
    west: whole ? -180 : wrapped(west),
    east: whole ? 180 : wrapped(end),
  };
}
