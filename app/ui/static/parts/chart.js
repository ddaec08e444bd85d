/** Curves by Plotly, fetched when the first one is drawn, in the colours of the page. */
import { h } from "../core/dom.js";

let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: document.body.dataset.plotly });
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => reject(new Error("The plots' script did not come; reload the page.")));
    document.head.append(script);
  });
  return loading;
}

/**
 * chart("Loss", [{ name: "simclr", x: [...], y: [...] }], { x: "epoch", log: false })
 *
 * Returns a figure whose `update(lines)` draws it anew. `words` says the same for those who cannot see it.
 */
export function chart(title, lines, { x = "", y = "", log = false, words = "", height = 220 } = {}) {
  const canvas = h("div.plot", { role: "img", "aria-label": words ? `${title}: ${words}` : title });
  const node = h("figure.chart", {}, h("figcaption", {}, title), canvas);
  let drawn = lines;
  const draw = async () => {
    const Plotly = await plotly();
    if (node.isConnected) await Plotly.react(canvas, drawn.map(trace), layout({ x, y, log, height }), CONFIG);
  };
  node.update = (changed) => ((drawn = changed), draw());
  node.ready = Promise.resolve().then(() => shown(node)).then(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return node;
}

const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false };

const trace = ({ name, x, y, mode = "lines+markers", ...more }) => ({
  name, x, y, mode, type: "scatter", line: { width: 2 }, marker: { size: 5 }, ...more,
});

function layout({ x, y, log, height }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true };
  return {
    height,
    margin: { l: 8, r: 8, t: 8, b: 8 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--ink-2"), family: "system-ui, sans-serif", size: 12 },
    colorway: ["#12877a", "#d0812a", "#5a74c8", "#b3507f", "#7a8a2a", "#8a63b8"],
    legend: { orientation: "h", y: -0.25 },
    hovermode: "x unified",
    xaxis: { ...axis, title: { text: x } },
    yaxis: { ...axis, title: { text: y }, type: log ? "log" : "linear" },
  };
}

/** Plotly measures what it draws into: that must stand in the page. */
async function shown(node) {
  while (!node.isConnected) await new Promise(requestAnimationFrame);
}
