/** Curves by Plotly, fetched when the first one is drawn, in the colours of the page. */
import { h } from "../core/dom.js";

let loading = null;

function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: document.body.dataset.plotly });
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => {
      loading = null; // the next chart asks again
      script.remove();
      reject(new Error("The plots' script did not come; reload the page."));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * chart("Loss", [{ name: "simclr", x: [...], y: [...] }], { x: "epoch", log: false })
 *
 * Returns a figure whose `update(lines, words)` draws it anew. `words` says the same for those who cannot see it; `zero`
 * lets the axis begin at 0, so that a small change looks small; an aborted `signal` lets go of what Plotly holds.
 */
export function chart(
  title,
  lines,
  { x = "", y = "", log = false, zero = false, words = "", height = 220, signal } = {},
) {
  const canvas = h("div.plot", { role: "img", style: { "min-height": `${height}px` } });
  const node = h("figure.chart", {}, h("figcaption", {}, title), canvas);
  let drawn = lines;
  const say = (text) => canvas.setAttribute("aria-label", text ? `${title}: ${text}` : title);
  const draw = async () => {
    const Plotly = await plotly();
    if (node.isConnected)
      await Plotly.react(canvas, drawn.map(trace), layout(canvas, { x, y, log, zero, height, drawn }), CONFIG);
  };
  say(words);
  node.update = async (changed, text) => {
    drawn = changed;
    if (text !== undefined) say(text);
    if (node.isConnected) await draw().catch(() => excuse(canvas));
  };
  node.ready = shown(node)
    .then(draw)
    .catch(() => excuse(canvas));
  recolour(() => node.update(drawn), canvas, signal);
  return node;
}

const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false };
const COLOURS = ["#12877a", "#d0812a", "#5a74c8", "#b3507f", "#7a8a2a", "#8a63b8"];
const FEW = 12; // up to so many whole numbers each get a tick

const trace = ({ name, x, y, mode = "lines+markers", ...more }) => ({
  name,
  x,
  y,
  mode,
  type: "scatter",
  line: { width: 2 },
  marker: { size: 5 },
  ...more,
});

function layout(canvas, { x, y, log, zero, height, drawn }) {
  const axis = { visible: drawn.length > 0, gridcolor: colour(canvas, "--line"), zeroline: false, automargin: true };
  return {
    height,
    margin: { l: 8, r: 8, t: 8, b: 8 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour(canvas, "--ink-2"), family: "system-ui, sans-serif", size: 12 },
    colorway: COLOURS,
    showlegend: drawn.length > 1,
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" },
    hovermode: "x unified",
    hoverlabel: { bgcolor: colour(canvas, "--paper-2"), bordercolor: colour(canvas, "--line") },
    dragmode: false,
    xaxis: { ...axis, ...whole(drawn), title: { text: x } },
    yaxis: {
      ...axis,
      title: { text: y },
      type: log ? "log" : "linear",
      rangemode: zero ? "tozero" : "normal",
      exponentformat: "e",
    },
  };
}

/** Epochs are whole: no tick stands at half of one. */
function whole(drawn) {
  const places = drawn.flatMap((line) => line.x);
  if (!places.every(Number.isInteger)) return {};
  const span = Math.max(0, ...places) - Math.min(...places, 0);
  return span <= FEW ? { tickformat: "d", dtick: 1 } : { tickformat: "d" };
}

/** A token's colour as the browser computes it: Plotly knows nothing of light-dark(). */
function colour(canvas, token) {
  const before = canvas.style.color;
  canvas.style.setProperty("color", `var(${token})`);
  const computed = getComputedStyle(canvas).color;
  canvas.style.setProperty("color", before);
  return computed;
}

/** Draws anew when the colours change, by the system or by the page's menu. `signal` says that the view is left. */
function recolour(draw, canvas, signal) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const watching = new MutationObserver(draw);
  watching.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", draw, { signal });
  signal?.addEventListener("abort", () => {
    watching.disconnect();
    globalThis.Plotly?.purge(canvas); // or its listener for the window's size would hold the chart
  });
}

function excuse(canvas) {
  canvas.classList.add("unplotted");
  canvas.textContent = "The plot could not be drawn; reload the page to try again.";
}

/** Plotly measures what it draws into: that must stand in the page. A view that never comes is not waited for. */
async function shown(node) {
  for (let frame = 0; !node.isConnected; frame++) {
    if (frame > 3600) throw new Error("The chart was never shown.");
    await new Promise(requestAnimationFrame);
  }
}
