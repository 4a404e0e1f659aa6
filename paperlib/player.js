/* A player of 3D poses, the same on the site and in a notebook: it draws on a canvas, and needs
 * nothing but this file. `player(place, data)` fills an element; paperlib/player.py writes the data. */
"use strict";

/* An element with attributes and children; text is escaped by the browser. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/* A labelled slider over places 0 … count - 1; show(place) gives the text beside it. */
function slider(label, count, at, show, moved) {
  const input = make("input", { type: "range", min: 0, max: count - 1, value: at });
  const said = make("output", {}, show(at));
  input.addEventListener("input", () => {
    said.textContent = show(Number(input.value));
    moved();
  });
  return { input, row: make("label", { class: "knob" }, make("span", {}, label), input, said) };
}

/* A choice among names and values. */
function choice(label, values, at, changed) {
  const select = make("select", { "aria-label": label });
  for (const [name, value] of values) select.append(make("option", { value }, name));
  select.value = at;
  select.addEventListener("change", changed);
  return select;
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const PLAYER_STYLE = `
.paperlib-player { max-width: 46rem; font-size: 0.9rem; }
.paperlib-player > div { display: flex; flex-wrap: wrap; gap: 0.35rem 0.7rem; align-items: center; margin: 0.3rem 0; }
.paperlib-player button, .paperlib-player select { font: inherit; color: inherit; background: transparent;
  border: 1px solid #8a97a3; border-radius: 4px; padding: 0.15rem 0.6rem; min-height: 2rem; }
.paperlib-player option { color: #22303c; background: #fff; }
.paperlib-player .knob { display: flex; flex: 1 1 100%; gap: 0.6rem; align-items: center; }
.paperlib-player .knob input { flex: 1; min-width: 5rem; margin: 0; }
.paperlib-player output { font-variant-numeric: tabular-nums; }
.paperlib-player canvas { display: block; width: 100%; touch-action: pan-y; }
.paperlib-player .scene { cursor: grab; }
.paperlib-player .keys svg { vertical-align: middle; margin-right: 0.3rem; }
.paperlib-player .hint { opacity: 0.75; font-size: 0.8rem; }`;

/* turned and raised by, radians; the first: left and right as in the image, and depth is seen */
const VIEWS = { raised: [0, 0.52], camera: [0, 0.02], side: [Math.PI / 2, 0.12], above: [0, 1.45] };
const NEAR = 3.6; /* metres from the eye to what it looks at */

function player(place, data) {
  const joints = data.joints.length, numbers = {};
  for (const [name, text] of Object.entries(data.bodies)) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    numbers[name] = new DataView(bytes.buffer);
  }
  /* a joint in metres, or null where it is not known */
  function joint(name, n, j) {
    const part = (k) => numbers[name].getInt16(2 * (3 * (n * joints + j) + k), true);
    return part(0) === -32768 ? null : [0, 1, 2].map((k) => (part(k) * data.unit) / 1000);
  }
  const body = (name, n) => data.joints.map((_, j) => joint(name, n, j));
  const truth = "truth" in numbers ? "truth" : null;
  const answers = Object.keys(numbers).filter((name) => name !== truth);
  const error = (n) => (j) => {
    const said = joint(answer(), n, j), true_ = joint(truth, n, j);
    return said && true_ ? 1000 * distance(said, true_) : null;
  };
  const errors = (n) => data.joints.map((_, j) => error(n)(j)).filter((e) => e !== null);

  /* ---- controls ---- */
  const button = make("button", { type: "button" }, "▶ Play");
  const speed = choice("speed", [0.25, 0.5, 1, 2].map((s) => [`${s} ×`, s]), 1, restart);
  const views = { raised: "camera, raised", camera: "camera", side: "side", above: "top" };
  const view = choice("view", Object.entries(views).map(([name, words]) => [words, name]), "raised", look);
  const which = choice("answer", answers.map((name) => [name, name]), answers.at(-1), changed);
  const answer = () => which.value || truth;
  const closer = make("button", { type: "button", "aria-label": "closer" }, "+");
  const farther = make("button", { type: "button", "aria-label": "farther" }, "−");
  const said = make("output");
  const time = (n) => `${(n / data.fps).toFixed(2)} s`;
  const frames = slider("time", data.frames, 0, time, draw);
  const about = { class: "scene", tabindex: 0, role: "img", "aria-label": `bodies in motion: ${data.title}` };
  const scene = make("canvas", about), curve = make("canvas", { "aria-label": "mean error over time" });
  const controls = make("div", {}, button, speed, view, closer, farther);
  if (answers.length > 1) controls.append(which);
  const keys = make("div", { class: "keys" });
  const hint = "drag: turn · a joint under the cursor: its name and error · space: play · arrows: turn";
  place.classList.add("paperlib-player");
  const parts = [make("style", {}, PLAYER_STYLE), controls, scene, keys, make("div", {}, said)];
  if (truth && answers.length) parts.push(curve);
  place.replaceChildren(...parts, make("div", {}, frames.row), make("div", { class: "hint" }, hint));

  function key(paint, width, dash, text) {
    const line = `<line x1="2" y1="6" x2="26" y2="6" stroke="${paint}" stroke-width="${width}" stroke-dasharray="${dash}"/>`;
    const one = make("span");
    one.innerHTML = `<svg width="28" height="12" aria-hidden="true">${line}</svg>`;
    one.append(text);
    keys.append(one);
  }
  const sides = { left: "left", right: "right (dashed)", centre: "trunk and head" };
  const colour = (side, ink) => (side === "centre" ? ink : data.colours[side]); /* in the dark, too */
  for (const [side, text] of Object.entries(sides)) key(colour(side, "currentColor"), 4, side === "right" ? "5 2" : "", text);
  if (truth && answers.length) key(data.colours.truth, 8, "", "truth");

  /* ---- what is seen ---- */
  let [turn, rise] = VIEWS.raised, zoom = 1, pointer = null;
  function look() { [turn, rise] = VIEWS[view.value]; zoom = 1; draw(); }
  function changed() { strip = null; draw(); }

  /* from metres to pixels and depth; what is behind the eye has none */
  function eye(n, width, height) {
    const [x0, y0] = data.followed[n], z0 = data.floor + 0.8;
    const [ca, sa, ce, se] = [Math.cos(turn), Math.sin(turn), Math.cos(rise), Math.sin(rise)];
    const scale = (zoom * Math.min(height, 1.3 * width)) / 2.15;
    return ([x, y, z]) => {
      const across = ca * (x - x0) + sa * (y - y0), along = ca * (y - y0) - sa * (x - x0);
      const depth = ce * along - se * (z - z0) + NEAR;
      if (depth < 0.4) return null;
      const size = (scale * NEAR) / depth;
      return [width / 2 + size * across, height / 2 - size * (se * along + ce * (z - z0)), depth];
    };
  }

  function canvas(of, height) {
    const width = of.clientWidth || 600, dense = window.devicePixelRatio || 1;
    if (of.width !== Math.round(width * dense) || of.height !== Math.round(height * dense)) {
      of.style.height = `${height}px`;
      [of.width, of.height] = [Math.round(width * dense), Math.round(height * dense)];
    }
    const pen = of.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `13px ${getComputedStyle(place).fontFamily}`;
    return [pen, width];
  }

  function stroke(pen, a, b, colour, width, dash = [], alpha = 1) {
    if (!a || !b) return;
    Object.assign(pen, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha, lineCap: dash.length ? "butt" : "round" });
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(a[0], a[1]);
    pen.lineTo(b[0], b[1]);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  /* the true body as one broad line, darker at its edge than within */
  function shade(pen, pairs) {
    Object.assign(pen, { strokeStyle: data.colours.truth, lineWidth: 13, lineCap: "round" });
    pen.beginPath();
    for (const [a, b] of pairs) {
      if (!a || !b) continue;
      pen.moveTo(a[0], a[1]);
      pen.lineTo(b[0], b[1]);
    }
    pen.stroke();
    Object.assign(pen, { lineWidth: 10, globalAlpha: 0.7, globalCompositeOperation: "destination-out" });
    pen.stroke();
    Object.assign(pen, { globalAlpha: 1, globalCompositeOperation: "source-over" });
  }

  /* squares of half a metre around the person, where somebody is in the whole recording */
  function ground(pen, see, n) {
    const [x0, x1, y0, y1] = data.area, [cx, cy] = data.followed[n];
    const near = (x, y) => Math.hypot(x - cx, y - cy) < 3;
    for (let x = x0; x <= x1 + 1e-6; x += 0.5) for (let y = y0; y <= y1 + 1e-6; y += 0.5) {
      if (!near(x, y)) continue;
      const corner = see([x, y, data.floor]);
      if (x + 0.5 <= x1 + 1e-6) stroke(pen, corner, see([x + 0.5, y, data.floor]), "#8a97a3", 1, [], 0.45);
      if (y + 0.5 <= y1 + 1e-6) stroke(pen, corner, see([x, y + 0.5, data.floor]), "#8a97a3", 1, [], 0.45);
    }
  }

  /* where the camera is: a pyramid on the way to it, and how far that is */
  function lens(pen, see, n, ink) {
    const [x, y] = data.followed[n], z = data.floor + 0.85, away = Math.hypot(x, y, z);
    const back = [-x / away, -y / away, -z / away], reach = Math.min(away, 1.5);
    const tip = back.map((v, k) => [x, y, z][k] + reach * v);
    const flat = Math.hypot(back[0], back[1]) || 1, right = [-back[1] / flat, back[0] / flat, 0];
    const up = [back[1] * right[2] - back[2] * right[1], back[2] * right[0] - back[0] * right[2], back[0] * right[1] - back[1] * right[0]];
    const corner = (a, b) => see(tip.map((v, k) => v - 0.22 * back[k] + 0.12 * a * right[k] + 0.09 * b * up[k]));
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) => corner(a, b)), top = see(tip);
    corners.forEach((c, k) => {
      stroke(pen, top, c, ink, 1.5);
      stroke(pen, c, corners[(k + 1) % 4], ink, 1.5);
    });
    if (!top || rise < 0.3 && Math.abs(turn) < 0.3) return;
    pen.fillStyle = ink;
    pen.textAlign = "center";
    const below = Math.max(...corners.map((c) => (c ? c[1] : 0)), top[1]) + 16;
    pen.fillText(`camera, ${away.toFixed(1)} m`, top[0], Math.min(below, scene.clientHeight - 6));
  }

  let strip = null;
  function timeline(n, ink) {
    strip ??= Array.from({ length: data.frames }, (_, k) => mean(errors(k)));
    const height = 44, [pen, width] = canvas(curve, height), most = Math.max(...strip.filter(Number.isFinite), 1);
    const x = (k) => (k / Math.max(data.frames - 1, 1)) * (width - 2) + 1, y = (e) => height - 2 - (e / most) * (height - 16);
    strip.forEach((e, k) => {
      if (data.hidden?.[k]) stroke(pen, [x(k - 0.5), height / 2], [x(k + 0.5), height / 2], "#8a97a3", height, [1e4], 0.3);
      if (k) stroke(pen, [x(k - 1), y(strip[k - 1])], [x(k), y(e)], data.colours.curve, 1.6);
    });
    stroke(pen, [x(n), 0], [x(n), height], ink, 1.2);
    pen.fillStyle = ink;
    pen.textAlign = "left";
    pen.fillText(`mean error over time, up to ${most.toFixed(0)} mm`, 4, 12);
  }

  function draw() {
    const n = Number(frames.input.value), ink = getComputedStyle(place).color;
    const height = Math.max(280, Math.min(460, 0.62 * (scene.clientWidth || 600)));
    const [pen, width] = canvas(scene, height), see = eye(n, width, height);
    ground(pen, see, n);
    if (data.camera) lens(pen, see, n, ink);
    const bones = [], shown = body(answer(), n).map((p) => p && see(p));
    const deep = (a, b) => (a && b ? a[2] + b[2] : 0);
    for (const [a, b, side] of data.bones) {
      const dash = side === "right" ? [7, 2.5] : [];
      bones.push([deep(shown[a], shown[b]), shown[a], shown[b], colour(side, ink), 4.5, dash]);
    }
    const behind = truth && answers.length ? body(truth, n).map((p) => p && see(p)) : [];
    if (behind.length) shade(pen, data.bones.map(([a, b]) => [behind[a], behind[b]]));
    for (const [, ...bone] of bones.sort((a, b) => b[0] - a[0])) stroke(pen, ...bone);
    const found = behind.length ? errors(n) : [];
    const hidden = data.hidden?.[n] ? ", hidden" : "";
    const average = found.length ? `${answer()}: mean error ${mean(found).toFixed(0)} mm in this frame` : "";
    said.textContent = `${average}${hidden}` || data.title;
    if (pointer) point(pen, width, shown, behind, n, ink);
    if (behind.length) timeline(n, ink);
  }

  /* the joint nearest to the cursor: its name, and how far it is from where it should be */
  function point(pen, width, shown, behind, n, ink) {
    const far = (p) => (p ? Math.hypot(p[0] - pointer[0], p[1] - pointer[1]) : Infinity);
    const nearest = [...shown.map((p, j) => [far(p), j, p]), ...behind.map((p, j) => [far(p), j, p])].sort((a, b) => a[0] - b[0])[0];
    if (nearest[0] > 22) return;
    const j = nearest[1], spot = nearest[2], off = behind.length ? error(n)(j) : null;
    stroke(pen, shown[j], behind[j], ink, 2, [3, 3]);
    for (const p of [shown[j], behind[j]]) {
      if (!p) continue;
      pen.strokeStyle = ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(p[0], p[1], 7, 0, 7);
      pen.stroke();
    }
    const words = `${data.joints[j]}${off === null ? "" : `: ${off.toFixed(0)} mm off`}`;
    const wide = pen.measureText(words).width + 14, x = Math.min(Math.max(spot[0] + 14, 0), width - wide);
    const y = Math.max(spot[1] - 34, 2);
    pen.fillStyle = "#22303c";
    pen.fillRect(x, y, wide, 24);
    pen.fillStyle = "#ffffff";
    pen.textAlign = "left";
    pen.fillText(words, x + 7, y + 16);
  }

  /* ---- hands ---- */
  let began = null, first = 0;
  function stop() { began = null; button.textContent = "▶ Play"; }
  function start() {
    [began, first] = [performance.now(), Number(frames.input.value)];
    button.textContent = "❚❚ Stop";
    requestAnimationFrame(step);
  }
  function restart() { if (began !== null) { stop(); start(); } }
  function step(now) {
    if (began === null || !place.isConnected) return;
    const gone = (Math.max(now - began, 0) / 1000) * data.fps * Number(speed.value);
    go((first + Math.floor(gone)) % data.frames);
    requestAnimationFrame(step);
  }
  function go(n) {
    if (n === Number(frames.input.value)) return;
    frames.input.value = n;
    frames.input.dispatchEvent(new Event("input"));
  }
  button.addEventListener("click", () => (began === null ? start() : stop()));
  closer.addEventListener("click", () => { zoom = Math.min(zoom * 1.3, 6); draw(); });
  farther.addEventListener("click", () => { zoom = Math.max(zoom / 1.3, 0.3); draw(); });
  function turned(across, down) { turn -= across; rise = Math.min(Math.max(rise + down, -0.2), 1.5); draw(); }
  let held = null;
  const spot = (event) => [event.offsetX, event.offsetY];
  scene.addEventListener("pointerdown", (event) => { held = pointer = spot(event); scene.setPointerCapture(event.pointerId); draw(); });
  scene.addEventListener("pointermove", (event) => {
    pointer = spot(event);
    if (!held) { draw(); return; }
    const [dx, dy] = [pointer[0] - held[0], pointer[1] - held[1]];
    held = pointer;
    turned(dx / 120, dy / 120);
  });
  for (const end of ["pointerup", "pointercancel"]) scene.addEventListener(end, () => { held = null; });
  scene.addEventListener("pointerleave", () => { pointer = null; draw(); });
  scene.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    if (event.key === " ") button.click();
    else if (event.key in ways) turned(...ways[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation(); /* in a notebook these keys mean other things */
  });
  curve.addEventListener("pointerdown", (event) => go(Math.round((event.offsetX / curve.clientWidth) * (data.frames - 1))));
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(scene);
  draw();
}
