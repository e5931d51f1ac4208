"use strict";
// What a picture knows without a page: its nodes, who depends on whom, and what is where at a given zoom.
const interlockView = (() => {
  const AXIS = 58, LEFT = 14, RIGHT = 24, ROW = 26, LEAST_S = 1e-4;

  function model(data) {
    const nodes = data.nodes.map(([id, label, state, kind, begin, end, open, row, rows, inside], place) => ({
      id, label, state, kind, begin, end, open: open === 1, row, rows, inside, place, parents: [], children: [], artifacts: [],
    }));
    for (let each = 0; each < data.edges.length; each += 2) {
      const parent = data.edges[each], child = data.edges[each + 1];
      nodes[parent].children.push(child);
      nodes[child].parents.push(parent);
    }
    for (const artifact of data.artifacts) if (artifact.node >= 0) nodes[artifact.node].artifacts.push(artifact);
    const byRow = d3.group(nodes, (node) => node.row);
    for (const row of byRow.values()) row.forEach((node, at) => { node.following = row[at + 1]?.place; });
    const holders = nodes.filter((node) => node.rows > 1).sort((a, b) => b.rows - a.rows);
    const reach = nodes.map((node) => [node.begin, node.end]);
    for (const node of nodes) {
      let home = node.inside;
      for (let depth = 0; home >= 0 && depth < 99; depth += 1, home = nodes[home].inside) {
        reach[home] = [Math.min(reach[home][0], node.begin), Math.max(reach[home][1], node.end)];
      }
    }
    return { ...data, nodes, byRow, holders, reach };
  }

  // Everything that the node needs, and everything that needs it: 1 and 2, and 3 for itself.
  function relatives(nodes, place) {
    const marks = new Uint8Array(nodes.length);
    for (const [side, mark] of [["parents", 1], ["children", 2]]) {
      const open = [place];
      while (open.length) {
        for (const next of nodes[open.pop()][side]) {
          if (!marks[next] && next !== place) { marks[next] = mark; open.push(next); }
        }
      }
    }
    marks[place] = 3;
    return marks;
  }

  function words(seconds) {
    const figures = (value) => String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
    if (seconds < 0) return `-${words(-seconds)}`;
    if (seconds === 0) return "0 s";
    if (seconds < 0.0009995) return `${figures(seconds * 1e6)} µs`;
    if (seconds < 0.9995) return `${figures(seconds * 1e3)} ms`;
    if (seconds < 59.95) return `${figures(seconds)} s`;
    return exact(Math.round(seconds), 1);
  }

  // A mark's place in full, as exact as the distance of the marks: `2 min 5.25 s`.
  function exact(seconds, step) {
    const sign = seconds < 0 ? "-" : "";
    let left = Math.abs(seconds);
    if (left < 60 && step >= 1e-3 && left < 1 && left > 0) return `${sign}${Number((left * 1e3).toFixed(3))} ms`;
    const parts = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
      const whole = Math.floor(left / size + 1e-9);
      if (whole > 0) { parts.push(`${whole} ${unit}`); left -= whole * size; }
    }
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    const rest = Number(Math.max(0, left).toFixed(digits));
    if (rest > 0 || !parts.length) parts.push(`${rest} s`);
    return sign + parts.slice(0, step < 60 ? 4 : 2).join(" ");
  }

  // One axis of the zoom: a scale and a shift, kept so that the picture stays in sight.
  class Zoomed {
    constructor() { this.k = 1; this.shift = 0; }
    scaleAt(factor, at, most) {
      const k = Math.min(Math.max(this.k * factor, 1), Math.max(most, 1));
      this.shift = at - (at - this.shift) * k / this.k;
      this.k = k;
    }
    keep(room, size) { this.shift = size * this.k <= room ? 0 : Math.min(0, Math.max(room - size * this.k, this.shift)); }
  }

  // Where things are, in pixels of a canvas of this width and height.
  class Place {
    constructor(picture) { this.picture = picture; this.across = new Zoomed(); this.down = new Zoomed(); this.resize(800, 400); }
    resize(width, height) {
      this.width = width;
      this.height = height;
      this.room = Math.max(50, width - LEFT - RIGHT);
      this.roomDown = Math.max(20, height - AXIS - 8);
      this.rowAtRest = Math.min(ROW, this.roomDown / Math.max(this.picture.rows, 1));
      this.scale(1, [0, 0]);
    }
    get row() { return this.rowAtRest * this.down.k; }
    x(seconds) { return LEFT + seconds / this.picture.seconds * this.room * this.across.k + this.across.shift; }
    seconds(x) { return (x - LEFT - this.across.shift) / this.across.k / this.room * this.picture.seconds; }
    y(row) { return AXIS + row * this.row + this.down.shift; }
    rowAt(y) { return Math.floor((y - AXIS - this.down.shift) / this.row); }
    scale(factor, [x, y]) {
      this.across.scaleAt(factor, x - LEFT, this.picture.seconds / LEAST_S);
      this.down.scaleAt(factor, y - AXIS, ROW / this.rowAtRest);
      this.pan(0, 0);
    }
    pan(dx, dy) {
      this.across.shift += dx;
      this.down.shift += dy;
      this.across.keep(this.room, this.room);
      this.down.keep(this.roomDown, this.picture.rows * this.rowAtRest);
    }
    reset() { this.across = new Zoomed(); this.down = new Zoomed(); }
    // Brings a node into the middle, and so near that its row can be read.
    show(node) {
      this.down.k = Math.max(this.down.k, 18 / this.rowAtRest);
      this.down.k = Math.min(this.down.k, ROW / this.rowAtRest);
      const length = Math.max(node.end - node.begin, this.picture.seconds / 2000, LEAST_S);
      const wanted = this.picture.seconds / length / 6;
      if (this.across.k < wanted / 4) this.across.k = Math.min(wanted / 2, this.picture.seconds / LEAST_S);
      if (this.across.k > wanted * 5) this.across.k = Math.max(1, wanted * 2);
      this.pan(this.width / 2 - this.x((node.begin + node.end) / 2), this.height / 2 - this.y(node.row + 0.5));
    }
    ticks() {
      const { zero, seconds, steps } = this.picture;
      const from = Math.max(this.seconds(0), 0) - zero, to = Math.min(this.seconds(this.width), seconds) - zero;
      const most = Math.max(2, this.room / 105);
      const step = steps.find((each) => (to - from) / each <= most) ?? steps[steps.length - 1];
      const marks = d3.range(Math.ceil(from / step - 1e-9), Math.floor(to / step + 1e-9) + 1);
      return marks.map((each) => ({ at: each * step + zero, words: exact(each * step, step) }));
    }
  }

  return { AXIS, model, relatives, words, Place };
})();
