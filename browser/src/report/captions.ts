// Where to put names on a picture so that they cover neither each other nor what they name: one by one, each where it
// does least harm. Positions are x from the left and y from the top of a square.

export type Point = [number, number];
type Box = [number, number, number, number];

export interface Label {
  text: string;
  point: Point;
  // Of the name.
  middle: Point;
  // Where a line from the point meets the name.
  lineEnd: Point;
}

// How far a name may be from its point, in lines of text.
const DISTANCES = [0.6, 1.6, 2.8, 4.2, 6.0];
// Width of a letter in heights of a line, rather too much than too little.
const LETTER = 0.66;

// Puts names beside points, the most important first; `ring` is the radius around each point that should stay free.
export function placeLabels(texts: string[], points: Point[], { side, height, ring }: { side: number; height: number; ring: number }): Label[] {
  const rings = points.map(([x, y]): Box => [x - ring, y - ring, x + ring, y + ring]);
  const labels: Label[] = [], taken: Box[] = [];
  texts.forEach((text, at) => {
    const point = points[at];
    const half: Point = [((LETTER * text.length) / 2 + 0.2) * height, 0.6 * height];
    let best: { harm: number; spot: Point; end: Point; box: Box } | null = null;
    for (const spot of spots(point, half, ring, height)) {
      const box: Box = [spot[0] - half[0], spot[1] - half[1], spot[0] + half[0], spot[1] + half[1]];
      const end: Point = [clip(point[0], box[0], box[2]), clip(point[1], box[1], box[3])];
      const harm = 100 * outside(box, side) + 10 * hits(box, taken) + 4 * hits(box, rings) + 6 * lineHits(point, end, taken)
        + 6 * crossings(point, end, labels) + (2 * Math.hypot(end[0] - point[0], end[1] - point[1])) / side;
      if (best === null || harm < best.harm) best = { harm, spot, end, box };
    }
    taken.push(best!.box);
    labels.push({ text, point, middle: best!.spot, lineEnd: best!.end });
  });
  return labels;
}

const clip = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

// Middles of a name around a point, nearer ones first, those at the sides before those above and below.
function* spots(point: Point, half: Point, ring: number, height: number): Generator<Point> {
  for (const distance of DISTANCES) {
    for (let turn = 0; turn < 16; turn += 1) {
      const angle = (turn * Math.PI) / 8, away = ring + distance * height;
      yield [point[0] + Math.cos(angle) * (half[0] + away), point[1] + Math.sin(angle) * (half[1] + away)];
    }
  }
}

function outside(box: Box, side: number): number {
  const over = Math.max(-box[0], 0) + Math.max(-box[1], 0) + Math.max(box[2] - side, 0) + Math.max(box[3] - side, 0);
  return Number(over > 0) + over / side;
}

const hits = (box: Box, others: Box[]) => others.filter((other) => box[0] < other[2] && box[1] < other[3] && box[2] > other[0] && box[3] > other[1]).length;

// How many boxes a line meets, looked at in ten places.
function lineHits(point: Point, end: Point, boxes: Box[]): number {
  return boxes.filter((box) => {
    for (let step = 0; step < 10; step += 1) {
      const x = point[0] + (step / 9) * (end[0] - point[0]), y = point[1] + (step / 9) * (end[1] - point[1]);
      if (x > box[0] && y > box[1] && x < box[2] && y < box[3]) return true;
    }
    return false;
  }).length;
}

function crossings(point: Point, end: Point, labels: Label[]): number {
  return labels.filter(({ point: start, lineEnd: stop }) =>
    sideOf(point, end, start) * sideOf(point, end, stop) < 0 && sideOf(start, stop, point) * sideOf(start, stop, end) < 0).length;
}

const sideOf = (start: Point, end: Point, of: Point) => (end[0] - start[0]) * (of[1] - start[1]) - (end[1] - start[1]) * (of[0] - start[0]);
