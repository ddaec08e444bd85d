/** The curve behind "auto": which numbers of clusters Roost tried, which it suggests and why. */
import { get, post } from "../core/api.js";
import { h } from "../core/dom.js";
import { counted, decimal } from "../core/format.js";
import { query } from "../core/router.js";
import { chart } from "./chart.js";
import { complain, toast } from "./toast.js";

/** Closed at first: the plot's script is larger than all the rest of the page. */
export function suggestions(page, found) {
  const body = h("div.why-body");
  const node = h("details.why", {}, h("summary", {}, `Why ${counted(found.clustering.k, "cluster")}?`), body);
  let drawn = false;
  const draw = async () => {
    drawn = true;
    try {
      body.replaceChildren(
        ...content(page, found, await get(`/v1/clusterings/${found.clustering.id}/suggestions`, page)),
      );
    } catch (error) {
      drawn = false;
      complain(error);
    }
  };
  node.addEventListener("toggle", () => {
    query({ why: node.open ? 1 : null });
    if (node.open && !drawn) draw();
  });
  node.open = page.query.has("why");
  return node;
}

function content(page, found, { k, suggested, curve }) {
  const tried = {
    name: "agreement with neighbours",
    x: curve.map((one) => one.k),
    y: curve.map((one) => one.modularity),
  };
  const marked = {
    name: "suggested",
    x: suggested.map((one) => one.k),
    y: suggested.map((one) => one.modularity),
    mode: "markers",
    marker: { size: 13, symbol: "circle-open", line: { width: 3 } },
  };
  const words = `${counted(curve.length, "number")} tried from ${curve[0].k} to ${curve.at(-1).k}; suggested: ${suggested.map((one) => one.k).join(", ")}.`;
  return [
    h(
      "p.quiet",
      {},
      `Roost tried ${counted(curve.length, "number")} of clusters and looked how well each keeps neighbours together (modularity). The best of them were clustered 20 times more on parts of the pictures, and the steadiest was taken.`,
    ),
    chart("How well each number keeps neighbours together", [tried, marked], { x: "clusters", words }),
    h(
      "ul.suggested",
      {},
      suggested.map((one) =>
        h(
          "li",
          {},
          h("p", {}, h("strong", {}, counted(one.k, "cluster")), ` ${sentence(one, suggested, k)}`),
          one.k === found.clustering.k ? null : instead(page, found, one.k),
        ),
      ),
    ),
  ];
}

function sentence(one, all, taken) {
  const best = Math.max(...all.map(({ modularity }) => modularity));
  const place =
    all.length < 2
      ? ""
      : one === all[0]
        ? "The coarsest of the good ones. "
        : one === all.at(-1)
          ? "The finest of the good ones. "
          : "Between the coarse and the fine. ";
  const agreement =
    one.modularity === best
      ? "It agrees best with who is whose neighbour"
      : "It agrees nearly as well with who is whose neighbour";
  const stability =
    one.stability === null
      ? ""
      : `; another sample of the pictures gives the same clusters to ${Math.round(one.stability * 100)}%`;
  return `${place}${agreement} (${decimal(one.modularity, 2)})${stability}.${one.k === taken ? " This one was taken." : ""}`;
}

/** The same encoder, algorithm and rules again, with another number of clusters. */
export function instead(page, { collection, clustering }, k) {
  const press = async (event) => {
    event.currentTarget.disabled = true;
    const { encoder, algorithm, event_gap_s } = clustering;
    try {
      await post(`/v1/collections/${collection.id}/clusterings`, { encoder: encoder.id, algorithm, k, event_gap_s });
      toast(`Sorting into ${k} clusters. Names and corrections come along.`);
      query({ k: null, why: null, clustering: null });
      page.reload();
    } catch (error) {
      complain(error);
      event.target.disabled = false;
    }
  };
  return h("button.small", { type: "button", onclick: press }, `Sort into ${k} instead`);
}
