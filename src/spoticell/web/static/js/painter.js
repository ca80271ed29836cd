// Paints points onto a canvas, pixel by pixel: 150,000 in hundredths of a second, with or without a graphics card.

window.startPainter = (canvas) => {
  const STEPS = 3; // places within a pixel that are told apart, so that small points lie where they should
  const DENSEST = 2;
  const FINE = 4; // parts of a pixel's side that are counted to see how much of it a disc covers
  const stamps = new Map();

  const rgb = (text) => text.match(/^#/)
    ? [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16))
    : text.match(/[\d.]+/g).slice(0, 3).map(Number);

  // For each place within a pixel: how much of each pixel around is covered by a disc, from 0 to 256.
  function stampsFor(size, opacity) {
    const key = `${size.toFixed(1)} ${opacity}`;
    if (!stamps.has(key)) {
      const reach = Math.ceil(size / 2 + 0.5);
      const all = [];
      for (let place = 0; place < STEPS * STEPS; place += 1) {
        const x = (place % STEPS + 0.5) / STEPS, y = (Math.floor(place / STEPS) + 0.5) / STEPS;
        all.push(stamp(x, y, size / 2, reach, opacity));
      }
      stamps.clear();
      stamps.set(key, { reach, all });
    }
    return stamps.get(key);
  }

  function stamp(x, y, radius, reach, opacity) {
    const side = 2 * reach + 1;
    const cover = new Uint16Array(side * side);
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        let inside = 0;
        for (let k = 0; k < FINE * FINE; k += 1) {
          const right = column - reach + (k % FINE + 0.5) / FINE - x;
          const down = row - reach + (Math.floor(k / FINE) + 0.5) / FINE - y;
          inside += right * right + down * down <= radius * radius;
        }
        cover[row * side + column] = Math.round((256 * opacity * inside) / (FINE * FINE));
      }
    }
    return cover;
  }

  // `groups`: [{position, color, opacity}], the last lie uppermost; `ranges`: what the canvas shows; `size` in pixels of the page.
  function paint(target, points, groups, { ranges, size, ground, dense }) {
    const wide = Math.round(target.clientWidth * dense), high = Math.round(target.clientHeight * dense);
    if (!wide || !high) return;
    draw(target, wide, high, points, groups, { ranges, size: size * dense, ground });
  }

  function draw(target, wide, high, points, groups, { ranges, size, ground }) {
    Object.assign(target, { width: wide, height: high });
    const pen = target.getContext("2d");
    const image = pen.createImageData(wide, high);
    const [red, green, blue] = rgb(ground);
    new Uint32Array(image.data.buffer).fill((255 << 24) | (blue << 16) | (green << 8) | red);
    const across = wide / (ranges.x[1] - ranges.x[0]), up = high / (ranges.y[1] - ranges.y[0]);
    for (const { position, color, opacity } of groups) {
      const { reach, all } = stampsFor(size, opacity);
      const [r, g, b] = rgb(color);
      const side = 2 * reach + 1;
      for (let k = 0; k < position.length; k += 1) {
        const x = (points.x[position[k]] - ranges.x[0]) * across, y = (ranges.y[1] - points.y[position[k]]) * up;
        const column = Math.floor(x), row = Math.floor(y);
        // also false where a cell has no place
        if (!(column >= reach && row >= reach && column < wide - reach && row < high - reach)) continue;
        const cover = all[Math.floor((y - row) * STEPS) * STEPS + Math.floor((x - column) * STEPS)];
        let at = 4 * ((row - reach) * wide + column - reach);
        for (let part = 0, line = 0; line < side; line += 1, at += 4 * (wide - side)) {
          for (let step = 0; step < side; step += 1, part += 1, at += 4) {
            const much = cover[part];
            if (!much) continue;
            image.data[at] += ((r - image.data[at]) * much) >> 8;
            image.data[at + 1] += ((g - image.data[at + 1]) * much) >> 8;
            image.data[at + 2] += ((b - image.data[at + 2]) * much) >> 8;
          }
        }
      }
    }
    pen.putImageData(image, 0, 0);
  }

  return {
    paint: (points, groups, look) => paint(canvas, points, groups, { ...look, dense: Math.min(devicePixelRatio, DENSEST) }),
    // The same on a sheet of its own, as the address of an image.
    picture: (points, groups, { width, height, dense, ...look }) => {
      const sheet = document.createElement("canvas");
      draw(sheet, Math.round(width * dense), Math.round(height * dense), points, groups, { ...look, size: look.size * dense });
      return sheet.toDataURL("image/png");
    },
  };
};
