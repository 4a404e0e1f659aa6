/* Demos on a page: each <div class="demo"> holds its data as JSON. The player, and what builds
 * controls, come from the package's own player.js; plotly draws the rest. */
"use strict";

const COLOURS = {
  truth: "#8795a1", network: "#d27800", interpolation: "#3ca569", refinement: "#2867b2",
};
const DASHES = { truth: "solid", network: "dot", interpolation: "dash", refinement: "solid" };
const PLAIN = { displayModeBar: false, responsive: true };

function ink() { return getComputedStyle(document.body).color; }

function layout(more) {
  const font = { family: "inherit", size: 12, color: ink() };
  const clear = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  return { font, ...clear, margin: { l: 55, r: 10, t: 10, b: 40 }, legend: { orientation: "h", y: 1.12 }, ...more };
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
