"use strict";
// One drawing of a picture on its canvas. Only what is in sight is drawn.
class interlockInk {
  constructor(view) {
    this.view = view;
    this.place = view.place;
    this.picture = view.picture;
    this.ink = view.canvas.getContext("2d");
    const style = getComputedStyle(view.element);
    this.colour = (name) => style.getPropertyValue(`--ig-${name}`).trim();
    const { nodes } = this.picture, centre = view.selected >= 0 ? view.selected : view.hovered;
    this.marks = centre >= 0 ? interlockView.relatives(nodes, centre) : null;
    this.hit = view.hits ? new Set(view.hits) : null;
  }

  static FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';
  static EDGES_WHILE_MOVING = 6000;

  paint() {
    const { ink, place, view } = this;
    if (!view.dense) return;
    ink.setTransform(view.dense, 0, 0, view.dense, 0, 0);
    ink.font = interlockInk.FONT;
    ink.textBaseline = "middle";
    ink.fillStyle = this.colour("page");
    ink.fillRect(0, 0, place.width, place.height);
    const ticks = place.ticks();
    this.grid(ticks);
    ink.save();
    ink.beginPath();
    ink.rect(0, interlockView.AXIS - 4, place.width, place.height);
    ink.clip();
    this.surroundings();
    this.edges();
    this.bars();
    for (const artifact of this.picture.artifacts) if (artifact.node >= 0) this.diamond(place.x(artifact.at), view.heightOf(artifact));
    ink.restore();
    this.axis(ticks);
    const seen = place.seconds(place.width) - place.seconds(0);
    view.element.dataset.seconds = seen;
    view.element.dataset.ticks = ticks.map((tick) => tick.words).join("|");
  }

  // Beside what is pointed at, chosen or found all else is faint.
  fades(node) { return (this.marks || this.hit) && !this.marks?.[node.place] && !this.hit?.has(node.place); }

  grid(ticks) {
    const { ink, place } = this;
    ink.strokeStyle = this.colour("line");
    ink.lineWidth = 1;
    ink.beginPath();
    for (const { at } of ticks) { const x = Math.round(place.x(at)) + 0.5; ink.moveTo(x, 30); ink.lineTo(x, place.height); }
    ink.stroke();
  }

  surroundings() {
    const { ink, place, picture } = this;
    for (const node of picture.holders) {
      const [begin, end] = picture.reach[node.place], x = place.x(begin) - 4, y = place.y(node.row) + 0.5;
      const width = place.x(end) + 4 - x, height = node.rows * place.row - 1;
      if (x > place.width || x + width < 0 || y > place.height || y + height < 0) continue;
      ink.fillStyle = ink.strokeStyle = picture.looks[node.state][0];
      ink.beginPath();
      ink.roundRect(x, y, width, height, 5);
      ink.globalAlpha = 0.08; ink.fill();
      ink.globalAlpha = 0.5; ink.stroke();
    }
    ink.globalAlpha = 1;
  }

  edges() {
    const { ink, place, picture, marks } = this, { nodes, edges } = picture;
    const plain = new Path2D(), near = [new Path2D(), new Path2D()];
    let number = 0;
    for (let each = 0; each < edges.length; each += 2) {
      const parent = nodes[edges[each]], child = nodes[edges[each + 1]];
      const up = marks && (marks[child.place] === 1 || marks[child.place] === 3) && marks[parent.place] === 1;
      const down = marks && (marks[parent.place] === 2 || marks[parent.place] === 3) && marks[child.place] === 2;
      const x1 = Math.max(place.x(parent.end), place.x(parent.begin) + 3), x2 = place.x(child.begin);
      const y1 = place.y(parent.row + 0.5), y2 = place.y(child.row + 0.5);
      if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > place.width || Math.max(y1, y2) < 0 || Math.min(y1, y2) > place.height) continue;
      if (!up && !down && this.view.moving && number > interlockInk.EDGES_WHILE_MOVING) continue;
      number += 1;
      const path = up ? near[0] : down ? near[1] : plain, bend = Math.min(Math.max((x2 - x1) / 2, 10), 90);
      path.moveTo(x1, y1);
      if (parent.following === child.place && x2 >= x1) path.lineTo(x2, y2);
      else if (x2 - x1 > 160 || (y1 === y2 && x2 >= x1)) this.along(path, x1, x2, y1, y2, (parent.place % 3 - 1) * 0.09);
      else path.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
    }
    const faint = number > 4000 ? 0.18 : number > 500 ? 0.35 : 0.75;
    ink.strokeStyle = this.colour("edge");
    ink.lineWidth = number > 4000 ? 0.7 : 1.2;
    ink.globalAlpha = marks || this.hit ? faint / 3 : faint;
    ink.stroke(plain);
    ink.globalAlpha = 1;
    ink.lineWidth = 2;
    ink.strokeStyle = this.colour("near");
    ink.stroke(near[0]);
    ink.stroke(near[1]);
  }

  // Between the rows, where bars may stand between the two: so it does not look like an edge of those.
  along(path, x1, x2, y1, y2, aside) {
    const { row } = this.place, side = y2 < y1 ? -1 : 1, along = y1 + side * row / 2 + aside * row;
    const turn = Math.min(Math.max(Math.abs(y2 - along) / 2, 14), 90, (x2 - x1) / 2);
    path.moveTo(x1 - 4, y1 + side * row * 0.36);
    path.quadraticCurveTo(x1 - 4, along, x1 + 2, along);
    path.lineTo(x2 - turn, along);
    path.bezierCurveTo(x2, along, x2 - turn, y2, x2, y2);
  }

  bars() {
    const { place, picture, view } = this, height = place.row * 0.72;
    for (const [row, nodes] of picture.byRow) {
      const top = place.y(row) + (place.row - height) / 2;
      if (top > place.height || top + height < 0) continue;
      nodes.forEach((node, at) => {
        const left = place.x(node.begin), right = Math.max(place.x(node.end), left + Math.min(6, Math.max(1.5, height / 3)));
        view.ends[node.place] = right;
        if (left > place.width) return;
        const following = nodes[at + 1] ? place.x(nodes[at + 1].begin) : Infinity;
        const beside = height > 9 ? this.label(node, left, right, following, top + height / 2, true) : null;
        if (right < 0 && !beside) return;
        this.bar(node, left, right, top, height);
        if (height > 9) this.label(node, left, right, following, top + height / 2, false);
      });
    }
    this.ink.globalAlpha = 1;
  }

  bar(node, left, right, top, height) {
    const { ink, view } = this, from = Math.max(left, -20), to = Math.min(right, this.place.width + 20);
    ink.globalAlpha = this.fades(node) ? 0.16 : 1;
    ink.fillStyle = this.picture.looks[node.state][0];
    const isSubflow = node.kind !== "task run", radius = isSubflow ? height / 2 : Math.min(3.5, height / 4);
    ink.beginPath();
    if (to - from < 5) ink.rect(from, top, to - from, height);
    else if (node.open && to === right) this.pointed(from, to, top, height);
    else ink.roundRect(from, top, to - from, height, Math.min(radius, (to - from) / 2));
    ink.fill();
    if (isSubflow && height > 9 && to - from > 10) {
      ink.strokeStyle = "rgba(255,255,255,.7)";
      ink.lineWidth = 1;
      ink.beginPath();
      ink.roundRect(from + 2, top + 2, to - from - (node.open ? 9 : 4), height - 4, Math.max(0, radius - 2));
      ink.stroke();
    }
    if (node.place === view.selected || node.place === view.hovered) {
      ink.strokeStyle = this.colour("near");
      ink.lineWidth = 2;
      ink.strokeRect(from - 1.5, top - 1.5, to - from + 3, height + 3);
    }
  }

  pointed(left, right, top, height) {
    const back = Math.max(left, right - height / 2);
    this.ink.moveTo(left, top);
    for (const [x, y] of [[back, top], [right, top + height / 2], [back, top + height], [left, top + height]]) this.ink.lineTo(x, y);
    this.ink.closePath();
  }

  // Within the bar if it fits there, else beside it if there is room; shortened where it helps.
  label(node, left, right, following, y, isTrial) {
    const { ink, place } = this, whole = `${this.picture.looks[node.state][1]} ${node.label}`;
    const from = Math.max(left, 0), within = Math.min(right, place.width) - from - 12, beside = Math.min(following, place.width + 60) - right - 14;
    const wide = ink.measureText(whole.slice(0, 80)).width, isInside = within >= Math.min(wide, beside);
    const words = this.fitted(whole, isInside ? within : Math.min(beside, 260));
    if (!words) return null;
    if (isTrial) return isInside ? null : words;
    ink.globalAlpha = this.fades(node) ? 0.3 : 1;
    if (!isInside) {
      ink.strokeStyle = this.colour("page");
      ink.lineWidth = 3;
      ink.lineJoin = "round";
      ink.strokeText(words, right + 6, y + 0.5);
    }
    ink.fillStyle = isInside ? "#fff" : this.colour("text");
    ink.fillText(words, (isInside ? from : right) + 6, y + 0.5);
    if (!isInside) this.view.ends[node.place] = right + 6 + ink.measureText(words).width;
    return words;
  }

  fitted(text, room) {
    const { ink } = this;
    if (room < 12) return "";
    if (ink.measureText(text).width <= room) return text;
    const letters = Array.from(text.slice(0, 120));
    let low = 0, high = letters.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (ink.measureText(`${letters.slice(0, middle).join("")}…`).width <= room) low = middle; else high = middle - 1;
    }
    return low >= 4 ? `${letters.slice(0, low).join("").trimEnd()}…` : "";
  }

  diamond(x, y) {
    const { ink } = this;
    if (x < -9 || x > this.place.width + 9) return;
    const size = Math.min(5, Math.max(2.5, this.place.row / 4));
    ink.beginPath();
    for (const [dx, dy] of [[0, -size], [size, 0], [0, size], [-size, 0]]) ink.lineTo(x + dx, y + dy);
    ink.closePath();
    ink.fillStyle = "#d97706";
    ink.strokeStyle = this.colour("page");
    ink.lineWidth = 1.2;
    ink.fill();
    ink.stroke();
  }

  axis(ticks) {
    const { ink, place, picture } = this;
    ink.fillStyle = this.colour("soft");
    for (const { at, words } of ticks) {
      const x = place.x(at), half = ink.measureText(words).width / 2;
      ink.fillText(words, Math.min(Math.max(x - half, 2), place.width - 2 * half - 2), 18);
    }
    const y = interlockView.AXIS - 16;
    picture.states.forEach((state, at) => {
      const left = Math.max(place.x(state.at), -10), right = Math.min(place.x(picture.states[at + 1]?.at ?? picture.seconds), place.width + 10);
      ink.fillStyle = picture.looks[state.type][0];
      ink.globalAlpha = 0.45;
      if (right > left) ink.fillRect(left, y - 4.5, right - left, 9);
      ink.globalAlpha = 1;
    });
    for (const state of picture.states) this.dot(place.x(state.at), y, picture.looks[state.type][0]);
    for (const artifact of picture.artifacts) if (artifact.node < 0) this.diamond(place.x(artifact.at), y);
    this.cursor();
  }

  dot(x, y, colour) {
    const { ink } = this;
    if (x < -9 || x > this.place.width + 9) return;
    ink.beginPath();
    ink.arc(x, y, 5.5, 0, 7);
    ink.fillStyle = colour;
    ink.strokeStyle = this.colour("page");
    ink.fill();
    ink.stroke();
  }

  // The moment under the pointer, by the clock.
  cursor() {
    const { ink, place, picture, view } = this;
    if (!view.pointer) return;
    const [x] = view.pointer, seconds = place.seconds(x);
    if (seconds < 0 || seconds > picture.seconds) return;
    ink.strokeStyle = this.colour("soft");
    ink.globalAlpha = 0.5;
    ink.lineWidth = 1;
    ink.beginPath(); ink.moveTo(x, 8); ink.lineTo(x, place.height); ink.stroke();
    ink.globalAlpha = 1;
    const words = new Date(picture.begin + seconds * 1000).toISOString().slice(11, 23);
    const width = ink.measureText(words).width + 10, left = Math.min(Math.max(x - width / 2, 0), place.width - width);
    ink.fillStyle = this.colour("text");
    ink.beginPath(); ink.roundRect(left, 8, width, 20, 4); ink.fill();
    ink.fillStyle = this.colour("page");
    ink.fillText(words, left + 5, 18.5);
  }
}
