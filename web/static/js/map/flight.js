// Smooth moves of the map from one place to another.

const DURATION = 250; // milliseconds

/** Moves from camera to camera, and calls `look` with each one on the way. */
export class Flight {
  constructor(look) {
    this.look = look;
    this.frame = null; // the next frame of a move that has not ended
  }

  /** Move from one camera to another, at once if the reader prefers less motion. */
  start(from, to) {
    this.stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.look(to);
      return;
    }
    const across = to.x - from.x - Math.round(to.x - from.x); // the shorter way around the world
    const started = performance.now();
    const move = (now) => {
      const share = Math.min(1, (now - started) / DURATION);
      const eased = 1 - (1 - share) ** 3;
      const between = (one, other) => one + (other - one) * eased;
      this.frame = share < 1 ? requestAnimationFrame(move) : null;
      this.look(share < 1 ? from.moved({ x: from.x + across * eased, y: between(from.y, to.y), zoom: between(from.zoom, to.zoom) }) : to);
    };
    this.frame = requestAnimationFrame(move);
  }

  stop() {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}
