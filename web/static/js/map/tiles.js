// Map tiles from the server that the user named with `sightline serve --map-tiles`.

const MOST = 300; // tiles in memory
const LARGEST_ZOOM = 19;
const SIDE = 256;

const images = new Map(); // URL -> image

/** Draw the visible tiles, and load those that are not there yet; `redraw` is called for each that arrives. */
export function draw(context, camera, template, redraw) {
  const zoom = Math.max(0, Math.min(LARGEST_ZOOM, Math.round(camera.zoom)));
  const count = 2 ** zoom;
  const side = camera.scale / count;
  const [left, top] = camera.toWorld(0, 0);
  const [right, bottom] = camera.toWorld(camera.width, camera.height);
  for (let column = Math.floor(left * count); column <= Math.floor(right * count); column += 1) {
    for (let row = Math.max(0, Math.floor(top * count)); row <= Math.min(count - 1, Math.floor(bottom * count)); row += 1) {
      const image = tile(template, zoom, ((column % count) + count) % count, row, redraw);
      if (!image.complete || !image.naturalWidth) continue;
      const [x, y] = camera.toScreen(column / count, row / count);
      context.drawImage(image, Math.floor(x), Math.floor(y), Math.ceil(side) + 1, Math.ceil(side) + 1);
    }
  }
}

function tile(template, zoom, column, row, redraw) {
  const url = template.replace("{z}", zoom).replace("{x}", column).replace("{y}", row);
  let image = images.get(url);
  if (image === undefined) {
    image = new Image(SIDE, SIDE);
    image.addEventListener("load", redraw);
    image.src = url;
  }
  images.delete(url);
  images.set(url, image); // the last ones used are kept
  if (images.size > MOST) images.delete(images.keys().next().value);
  return image;
}
