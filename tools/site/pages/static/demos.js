/* Demos on a page: each <div class="demo"> holds its data as JSON; plotly draws it. */
"use strict";

const COLOURS = {
  left: "#2867b2", right: "#d1495b", centre: "#5b6770", truth: "#8a949c",
  network: "#e07b39", interpolation: "#3a9679", refinement: "#2867b2",
};
const DASHES = { truth: "solid", network: "dot", interpolation: "dash", refinement: "solid" };
const PLAIN = { displayModeBar: false, responsive: true };

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

function ink() { return getComputedStyle(document.body).color; }

function layout(more) {
  const font = { family: "inherit", size: 12, color: ink() };
  const clear = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  return { font, ...clear, margin: { l: 55, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: 1.12 }, ...more };
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/* ---- a player of 3D poses ---- */

function player(div, data) {
  const names = Object.keys(data.bodies);
  const chart = make("div", { class: "chart", style: "height: 30rem" });
  const choice = make("select", { "aria-label": "answer" });
  for (const name of names.slice(1)) choice.append(make("option", { value: name }, name));
  choice.value = "refinement";
  const speed = make("select", { "aria-label": "speed" });
  for (const times of [0.25, 0.5, 1, 2]) speed.append(make("option", { value: times }, `${times} ×`));
  speed.value = 1;
  const button = make("button", { type: "button" }, "Play");
  const said = make("output");
  const time = (n) => `${(n / data.fps).toFixed(1)} s`;
  const frames = slider("time", data.hidden.length, 0, time, () => draw());

  /* one broken line for all bones of a side, so that a body is three traces */
  function lines(pose, side) {
    const axes = [[], [], []];
    for (const [parent, child, of] of data.bones) {
      if (of !== side) continue;
      for (const joint of [parent, child]) axes.forEach((axis, k) => axis.push(pose[joint][k] / 1000));
      axes.forEach((axis) => axis.push(null));
    }
    return axes;
  }
  const words = (side, errors) => data.bones.filter((b) => b[2] === side).flatMap(([p, c]) =>
    [p, c].map((j) => `${data.joints[j]}${errors ? `: ${errors[j].toFixed(0)} mm off` : ""}`).concat(""));

  function traces() {
    const n = Number(frames.input.value), truth = data.bodies.truth[n], answer = data.bodies[choice.value][n];
    const errors = answer.map((joint, j) => distance(joint, truth[j]));
    const found = [];
    for (const side of ["left", "right", "centre"]) {
      const [x, y, z] = lines(truth, side);
      found.push({ type: "scatter3d", mode: "lines", x, y, z, name: "truth", showlegend: side === "left",
        line: { width: 12, color: COLOURS.truth }, opacity: 0.45, text: words(side), hoverinfo: "text" });
    }
    for (const side of ["left", "right", "centre"]) {
      const [x, y, z] = lines(answer, side);
      found.push({ type: "scatter3d", mode: "lines", x, y, z, name: { left: "left side", right: "right side", centre: "trunk" }[side],
        line: { width: 6, color: COLOURS[side] }, text: words(side, errors), hoverinfo: "text" });
    }
    said.textContent = `mean error ${mean(errors).toFixed(0)} mm${data.hidden[n] ? ", hidden" : ""}`;
    return found;
  }

  /* the floor under all that is walked on; the camera is where x, y and z are 0, and looks along y */
  const all = data.bodies.truth.flat(), range = (k) => all.map((p) => p[k] / 1000);
  const [left, right] = [Math.min(...range(0)) - 0.5, Math.max(...range(0)) + 0.5];
  const [near, far] = [Math.min(...range(1)) - 0.5, Math.max(...range(1)) + 0.5];
  const floor = data.floor / 1000, middle = (left + right) / 2;
  const ground = { type: "mesh3d", x: [left, right, right, left], y: [near, near, far, far], z: Array(4).fill(floor),
    i: [0, 0], j: [1, 2], k: [2, 3], color: "#9aa5ad", opacity: 0.25, hoverinfo: "skip", showscale: false };
  /* the way to the camera, its first 70 cm */
  const part = 0.7 / Math.hypot(middle, near, floor);
  const [tipX, tipY, tipZ] = [middle * (1 - part), near * (1 - part), floor * (1 - part)];
  const away = `to the camera, ${Math.hypot(middle, near, floor).toFixed(1)} m away`;
  const sight = { type: "scatter3d", mode: "lines", x: [middle, tipX], y: [near, tipY], z: [floor, tipZ], name: away,
    hoverinfo: "name", line: { width: 4, color: COLOURS.network } };
  const lens = { type: "cone", x: [tipX], y: [tipY], z: [tipZ], u: [-middle], v: [-near], w: [-floor], sizemode: "absolute", sizeref: 0.15,
    colorscale: [[0, COLOURS.network], [1, COLOURS.network]], showscale: false, hoverinfo: "skip" };
  const axis = { visible: false };
  const scene = { aspectmode: "data", xaxis: axis, yaxis: axis, zaxis: axis, camera: { eye: { x: 1.05, y: -1.3, z: 0.45 } } };

  function draw() {
    const shown = traces().concat([ground, sight, lens]);
    Plotly.react(chart, shown, layout({ scene, uirevision: "kept", margin: { l: 0, r: 0, t: 0, b: 0 } }), PLAIN);
  }

  let timer = null;
  function stop() { clearInterval(timer); timer = null; button.textContent = "Play"; }
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    button.textContent = "Stop";
    const began = performance.now(), first = Number(frames.input.value);
    timer = setInterval(() => {
      const gone = (performance.now() - began) / 1000 * data.fps * Number(speed.value);
      frames.input.value = (first + Math.floor(gone)) % data.hidden.length;
      frames.input.dispatchEvent(new Event("input"));
    }, 60);
  });
  speed.addEventListener("change", () => { if (timer) { stop(); button.click(); } });
  choice.addEventListener("change", draw);
  div.append(make("div", { class: "bar" }, button, speed, choice, said), frames.row, chart);
  draw();
}

/* ---- the knobs of the refinement ---- */

function smoothing(div, data) {
  const chart = make("div", { class: "chart", style: "height: 26rem" });
  const labels = { root_short: "weight, short step", root_long: "weight, long step", long_step: "long step, frames" };
  const said = make("output");
  const knobs = Object.entries(data.knobs).map(([name, values], k) =>
    slider(labels[name], values.length, data.usual[k], (n) => String(values[n]), () => draw()));
  const seconds = data.hidden.map((_, n) => n / data.fps);
  const first = data.hidden.indexOf(true) / data.fps, last = data.hidden.lastIndexOf(true) / data.fps;
  const axes = ["to the right, m", "down, m", "away, m"];

  function draw() {
    const path = data.refined[knobs.map((knob) => knob.input.value).join("-")];
    const paths = { truth: data.truth, network: data.network, refinement: path };
    const traces = [];
    axes.forEach((_, k) => {
      for (const [name, positions] of Object.entries(paths)) {
        traces.push({ x: seconds, y: positions.map((p) => p[k] / 1000), name, mode: "lines", showlegend: k === 0,
          xaxis: "x", yaxis: k ? `y${k + 1}` : "y",
          line: { width: name === "truth" ? 6 : 2, color: COLOURS[name], dash: DASHES[name] }, opacity: name === "truth" ? 0.5 : 1 });
      }
    });
    const away = path.map((p, n) => distance(p, data.truth[n]));
    const inside = away.filter((_, n) => data.hidden[n]), outside = away.filter((_, n) => !data.hidden[n]);
    said.textContent = `error of the location: ${mean(inside).toFixed(0)} mm while hidden, ${mean(outside).toFixed(0)} mm while seen`;
    const domains = [[0.7, 1], [0.36, 0.64], [0, 0.3]];
    const more = { shapes: [{ type: "rect", xref: "x", yref: "paper", x0: first, x1: last, y0: 0, y1: 1, fillcolor: "#9aa5ad", opacity: 0.25, line: { width: 0 }, layer: "below" }],
      xaxis: { title: { text: "seconds" }, anchor: "y3", gridcolor: "rgba(128,128,128,0.25)" } };
    axes.forEach((label, k) => {
      more[k ? `yaxis${k + 1}` : "yaxis"] = { title: { text: label }, domain: domains[k], gridcolor: "rgba(128,128,128,0.25)", zeroline: false };
    });
    Plotly.react(chart, traces, layout(more), PLAIN);
  }
  div.append(make("div", { class: "bar" }, said), ...knobs.map((knob) => knob.row), chart);
  draw();
}

/* ---- labels of hidden joints ---- */

function occlusion(div, data) {
  const titles = { clustered: "clustered", boxed_man: "boxed man", cylinder_man: "cylinder man" };
  const knobLabels = { clustered: "tolerance, m", boxed_man: "half width of a box", cylinder_man: "" };
  const kinds = [
    { name: "seen", symbol: "circle", size: 7, color: "#5b6770" },
    { name: "hidden, found", symbol: "circle-open", size: 13, color: "#2867b2" },
    { name: "false alarm", symbol: "x", size: 11, color: "#d1495b" },
    { name: "hidden, missed", symbol: "square-open", size: 13, color: "#e07b39" },
  ];
  const chart = make("div", { class: "chart", style: "height: 30rem" });
  const method = make("select", { "aria-label": "labelling" });
  for (const [name, title] of Object.entries(titles)) method.append(make("option", { value: name }, title));
  const said = make("output");
  const turn = slider("turned by, degrees", data.angles.length, data.angles.indexOf(0) < 0 ? 0 : data.angles.indexOf(0), (n) => String(data.angles[n]), () => draw());
  const knobs = make("div");
  let knob = null;

  function choose() {
    const values = data.settings[method.value];
    knob = slider(knobLabels[method.value], values.length, Math.min(1, values.length - 1), (n) => String(values[n]), () => draw());
    knobs.replaceChildren(...(values.length > 1 ? [knob.row] : []));
    draw();
  }
  function draw() {
    const view = data.views[Number(turn.input.value)];
    const said_ = view.said[method.value][Number(knob.input.value)];
    const height = 1, width = view.aspect;
    const traces = kinds.map((kind, k) => {
      const joints = said_.map((v, j) => [v, j]).filter(([v]) => v === k).map(([, j]) => j);
      return { mode: "markers", name: kind.name, x: joints.map((j) => view.points[j][0] * width), y: joints.map((j) => 1 - view.points[j][1]),
        text: joints.map((j) => data.joints[j]), hoverinfo: "text+name", marker: { symbol: kind.symbol, size: kind.size, color: kind.color, line: { width: 2.5, color: kind.color } } };
    });
    const count = (k) => said_.filter((v) => v === k).length;
    said.textContent = `${count(1)} of ${count(1) + count(3)} hidden joints found, ${count(2)} false alarms`;
    const picture = { source: `data:image/png;base64,${view.picture}`, xref: "x", yref: "y", x: 0, y: 1, sizex: width, sizey: height, sizing: "stretch", layer: "below" };
    const none = { visible: false, fixedrange: true };
    Plotly.react(chart, traces, layout({ images: [picture], xaxis: { ...none, range: [-0.1, width + 0.1] },
      yaxis: { ...none, range: [-0.02, 1.02], scaleanchor: "x" }, margin: { l: 0, r: 0, t: 30, b: 0 } }), PLAIN);
  }
  method.addEventListener("change", choose);
  div.append(make("div", { class: "bar" }, method, said), turn.row, knobs, chart);
  choose();
}

const DEMOS = { player, smoothing, occlusion };
for (const div of document.querySelectorAll(".demo")) {
  DEMOS[div.dataset.demo](div, JSON.parse(div.querySelector("script").textContent));
}
