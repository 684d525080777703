// The day at the top of the visible area, which is found again after the pictures have been counted again.

/** The day at the height `top`, and how far its pictures are scrolled; null above the first day. */
export function dayAt(timeline, arrangement, top) {
  if (!timeline?.count || top <= 0) return null;
  const [index] = arrangement.between(top, top + innerHeight);
  const block = arrangement.blocks[arrangement.place(index).block];
  return { day: timeline.days[timeline.dayOf(index)].day, past: top - block.top };
}

/** The height at which that day is now, or the next older one. */
export function heightOf({ day, past }, timeline, arrangement) {
  const number = timeline.days.findIndex((each) => each.day === null || (day !== null && each.day <= day));
  return number < 0 ? 0 : arrangement.blocks[number].top + past;
}
