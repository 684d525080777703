// Moving from picture to picture with the keyboard.

/** The index that a key leads to from `here`; null above the first row, and undefined for a key that does not move. */
export function indexAfter(key, here, arrangement) {
  const last = arrangement.count - 1;
  const isRightToLeft = document.documentElement.dir === "rtl";
  switch (key) {
    case isRightToLeft ? "ArrowLeft" : "ArrowRight": return Math.min(here + 1, last);
    case isRightToLeft ? "ArrowRight" : "ArrowLeft": return Math.max(here - 1, 0);
    case "ArrowDown": return arrangement.vertical(here, 1) ?? last;
    case "ArrowUp": return arrangement.vertical(here, -1);
    case "Home": return 0;
    case "End": return last;
    default: return undefined;
  }
}
