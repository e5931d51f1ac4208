"use strict";
// Draws pictures into the elements `.ig-view` of a page, from the JSON that stands in each.
const interlockGraph = (() => {
  const { AXIS, model, relatives, words, Place } = interlockView;
  const CLICK_PX = 5;

  // An element with its text and attributes. Text is only ever text.
  function make(parent, name, attributes = {}, text = "") {
    const element = parent.appendChild(document.createElement(name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  }

  class Picture {
    constructor(element, data) {
      this.element = element;
      element.interlockGraph = this;
      this.picture = model(data);
      this.place = new Place(this.picture);
      this.ends = new Float64Array(this.picture.nodes.length);
      this.selected = this.hovered = -1;
      this.hits = null;
      this.pointer = null;
      this.build();
      this.listen();
    }

    build() {
      const bar = make(this.element, "div", { class: "ig-bar" });
      this.search = make(bar, "input", { type: "search", placeholder: "Search by name or id", "aria-label": "Search nodes" });
      this.found = make(bar, "span", { class: "ig-hits", "aria-live": "polite" });
      this.buttons = [["−", "Zoom out", 0.6], ["+", "Zoom in", 1.6], ["Fit", "Show everything", 0]].map(([sign, title, factor]) => {
        const button = make(bar, "button", { type: "button", title, "aria-label": title }, sign);
        button.addEventListener("click", () => this.zoom(factor));
        return button;
      });
      this.key(bar);
      const room = make(this.element, "div", { class: "ig-room" });
      const told = `${this.picture.name}: ${this.picture.told}. Arrow keys go along the dependencies.`;
      this.canvas = make(room, "canvas", { tabindex: "0", role: "img", "aria-label": told });
      this.tip = make(room, "div", { class: "ig-tip", hidden: "" });
      this.more = make(room, "div", { class: "ig-more", hidden: "", "aria-live": "polite" });
      this.room = room;
    }

    key(bar) {
      const { looks, nodes, states } = this.picture;
      const used = new Set([...nodes.map((node) => node.state), ...states.map((state) => state.type)]);
      const key = make(bar, "span", { class: "ig-key" });
      for (const [type, [colour, sign, name]] of Object.entries(looks)) {
        if (!used.has(type)) continue;
        const item = make(key, "span");
        make(item, "i").style.background = colour;
        item.append(`${sign} ${name}`);
      }
    }

    listen() {
      const canvas = d3.select(this.canvas);
      let last = d3.zoomIdentity;
      const zoom = d3.zoom().scaleExtent([1e-9, 1e9]).clickDistance(CLICK_PX).on("zoom", (event) => {
        const now = event.transform, factor = now.k / last.k;
        if (factor !== 1 && event.sourceEvent) this.place.scale(factor, d3.pointers(event.sourceEvent, this.canvas).reduce(
          ([x, y], [px, py], _, all) => [x + px / all.length, y + py / all.length], [0, 0]));
        else this.place.pan(now.x - last.x, now.y - last.y);
        last = now;
        this.look();
        this.draw(true);
      });
      canvas.call(zoom).on("dblclick.zoom", null);
      canvas.on("mousemove", (event) => this.point(d3.pointer(event))).on("mouseleave", () => this.point(null));
      canvas.on("click", (event) => this.select(this.nodeAt(d3.pointer(event)), false));
      canvas.on("dblclick", (event) => { const at = this.nodeAt(d3.pointer(event)); if (at >= 0) this.select(at, true); });
      canvas.on("keydown", (event) => this.onKey(event));
      this.search.addEventListener("input", () => this.find(this.search.value));
      this.search.addEventListener("keydown", (event) => { if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1); });
      new ResizeObserver(() => this.resize()).observe(this.room);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    }

    resize() {
      const { width, height } = this.room.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
      if (!width || !height) return;
      this.canvas.width = Math.round(width * dense);
      this.canvas.height = Math.round(height * dense);
      this.dense = dense;
      this.place.resize(width, height);
      this.draw();
    }

    zoom(factor) {
      if (factor) this.place.scale(factor, [this.place.width / 2, this.place.height / 2]);
      else this.place.reset();
      this.look();
      this.draw();
    }

    nodeAt([x, y]) {
      if (y < AXIS) return -1;
      const near = (this.picture.byRow.get(this.place.rowAt(y)) || []).filter(
        (node) => x >= this.place.x(node.begin) - 2 && x <= Math.max(this.ends[node.place], this.place.x(node.end)) + 2);
      return near.length ? near[near.length - 1].place : -1;
    }

    point(at) {
      this.pointer = at;
      this.look();
      this.draw();
    }

    // What is under the pointer now: that changes also when the picture moves.
    look() {
      this.hovered = this.pointer ? this.nodeAt(this.pointer) : -1;
      this.canvas.classList.toggle("ig-over", this.hovered >= 0);
      this.tell(this.pointer);
    }

    tell(at) {
      const told = this.hovered >= 0 ? this.lines(this.picture.nodes[this.hovered]) : this.markAt(at);
      this.tip.hidden = !told;
      if (!told) return;
      this.tip.replaceChildren();
      make(this.tip, "b", {}, told[0]);
      this.tip.append(told.slice(1).join("\n"));
      const { width, height } = this.tip.getBoundingClientRect();
      this.tip.style.left = `${Math.max(4, Math.min(at[0] + 14, this.place.width - width - 4))}px`;
      this.tip.style.top = `${at[1] + 18 + height > this.place.height ? Math.max(4, at[1] - height - 10) : at[1] + 18}px`;
    }

    // A state of the run, or an artifact, near the pointer.
    markAt(at) {
      if (!at) return null;
      const marks = [...this.picture.states.map((each) => [each, AXIS - 16]), ...this.picture.artifacts.map((each) => [each, this.heightOf(each)])];
      const near = d3.least(marks, ([each, y]) => Math.hypot(this.place.x(each.at) - at[0], y - at[1]));
      return near && Math.hypot(this.place.x(near[0].at) - at[0], near[1] - at[1]) < 9 ? near[0].told.split("\n") : null;
    }

    heightOf(artifact) {
      return artifact.node < 0 ? AXIS - 16 : this.place.y(this.picture.nodes[artifact.node].row + 0.84);
    }

    lines(node) {
      const { looks, begin, zero } = this.picture;
      const clock = new Date(begin + node.begin * 1000).toISOString().replace("T", " ").replace("Z", " UTC");
      const took = `${words(node.end - node.begin)}${node.open ? " so far" : ""}`;
      return [node.label, `${looks[node.state][1]} ${looks[node.state][2]} ${node.kind}, ${took}`,
        `began ${words(node.begin - zero)} after the start`, clock];
    }

    select(place, show) {
      this.selected = place;
      if (place >= 0 && show) {
        this.place.show(this.picture.nodes[place]);
        this.look();
      }
      this.describe();
      this.draw();
    }

    describe() {
      this.more.hidden = this.selected < 0;
      this.element.dataset.selected = this.selected < 0 ? "" : this.picture.nodes[this.selected].id;
      if (this.selected < 0) return;
      const node = this.picture.nodes[this.selected], [name, ...lines] = this.lines(node);
      this.more.replaceChildren();
      make(this.more, "button", { type: "button", class: "ig-close", "aria-label": "Close" }, "×").addEventListener("click", () => this.select(-1));
      make(this.more, "h3", {}, name);
      for (const line of [...lines, node.id]) make(this.more, "p", {}, line);
      const inner = this.picture.nodes.filter((each) => each.inside === node.place).map((each) => each.place);
      this.list("Called within", node.inside < 0 ? [] : [node.inside]);
      this.list("Needs", node.parents);
      this.list("Is needed by", node.children);
      this.list("Called in it", inner);
      for (const artifact of node.artifacts) make(this.more, "p", {}, artifact.told.split("\n")[0]);
      this.element.dispatchEvent(new CustomEvent("ig-select", { detail: { id: node.id, kind: node.kind }, bubbles: true }));
    }

    list(heading, places) {
      if (!places.length) return;
      make(this.more, "h4", {}, `${heading} (${places.length})`);
      for (const place of places.slice(0, 50)) {
        const node = this.picture.nodes[place];
        const button = make(this.more, "button", { type: "button", class: "ig-go" }, `${this.picture.looks[node.state][1]} ${node.label}`);
        button.addEventListener("click", () => this.select(place, true));
      }
      if (places.length > 50) make(this.more, "p", {}, `and ${places.length - 50} more`);
    }

    find(text) {
      const wanted = text.trim().toLowerCase();
      const fits = (node) => node.label.toLowerCase().includes(wanted) || node.id.startsWith(wanted);
      this.hits = wanted ? this.picture.nodes.filter(fits).map((node) => node.place) : null;
      this.found.textContent = this.hits ? `${this.hits.length} found` : "";
      this.element.dataset.found = this.hits ? this.hits.length : "";
      this.draw();
    }

    next(step) {
      if (!this.hits?.length) return;
      const at = this.hits.indexOf(this.selected), number = this.hits.length;
      const next = at < 0 ? 0 : (at + step + number) % number;
      this.select(this.hits[next], true);
      this.found.textContent = `${next + 1} of ${number}`;
    }

    onKey(event) {
      const node = this.picture.nodes[Math.max(this.selected, 0)];
      const beside = { ArrowLeft: node?.parents[0], ArrowRight: node?.children[0], ArrowUp: node?.place - 1, ArrowDown: node?.place + 1 };
      const factor = { "+": 1.6, "=": 1.6, "-": 0.6, 0: 0 }[event.key];
      if (event.key === "Escape") this.select(-1);
      else if (factor !== undefined) this.zoom(factor);
      else if (event.key in beside) {
        const to = this.selected < 0 ? 0 : beside[event.key];
        if (this.picture.nodes[to]) this.select(to, true);
        event.preventDefault();
      }
    }

    draw(moving = false) {
      clearTimeout(this.settling);
      if (moving) this.settling = setTimeout(() => this.draw(), 120);
      this.moving = moving;
      if (!this.pending) this.pending = requestAnimationFrame(() => { this.pending = 0; new interlockInk(this).paint(); });
    }
  }

  // Draws what the element holds. `data` is what its JSON block has, and may be given anew.
  function mount(element, data) {
    const block = element.querySelector('script[type="application/json"]');
    const given = data ?? JSON.parse(block.textContent);
    element.replaceChildren();
    return new Picture(element, given);
  }

  function mountAll() { for (const element of document.querySelectorAll(".ig-view")) if (!element.querySelector("canvas")) mount(element); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
  return { mount };
})();
