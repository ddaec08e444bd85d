/** What can be done with a whole cluster: rename, merge into another, split. */
import { counted } from "../core/format.js";
import { nameOf } from "../core/clusters.js";
import { address, go } from "../core/router.js";
import { chooseCluster } from "./choose-cluster.js";
import { ask, field } from "./dialog.js";
import { complain } from "./toast.js";

/** `state` of the cluster's view: page, found, cluster, list, edits, name. Gives the menu's entries, and `merge` for its key. */
export function clusterActions(state) {
  const merge = () => mergeInto(state);
  const history = address(`${state.found.path}/history`, { clustering: state.found.clustering.id });
  const entries = [
    { name: "Rename", icon: "edit", run: () => state.name.edit() },
    { name: "Merge into …", icon: "merge", run: () => merge().catch(complain) },
    { name: "Split …", icon: "split", run: () => split(state).catch(complain) },
    { name: "History of corrections", icon: "undo", href: history },
  ];
  return { entries, merge };
}

async function mergeInto({ page, found, cluster, list, edits }) {
  const others = list.filter(({ id }) => id !== cluster.id);
  const chosen = await chooseCluster(`Merge ${nameOf(cluster)} into`, others);
  if (!chosen) return;
  const words = `${nameOf(cluster)} merged into ${nameOf(chosen)}`;
  const done = await edits.make({ kind: "merge", clusters: [chosen.id, cluster.id] }, words);
  if (done)
    go(
      address(`${found.path}/clusters/${chosen.id}`, {
        clustering: page.query.get("clustering"),
        order: page.query.get("order"),
      }),
    );
}

/** Into parts by k-means. Splitting by hand is done with the selection. */
async function split({ cluster, edits }) {
  const fields = [
    field(
      "Into",
      {
        name: "into",
        type: "number",
        min: 2,
        max: Math.min(100, cluster.size),
        value: 2,
        required: true,
        autofocus: true,
      },
      "The part with most pinned pictures, or the biggest, keeps the name.",
    ),
  ];
  const text = `${counted(cluster.size, "picture")} are divided by what they look like. To take certain pictures off, select them and choose “New cluster”.`;
  const submit = async ({ into }) =>
    edits.make({ kind: "split", cluster: cluster.id, into: Number(into) }, `${nameOf(cluster)} split into ${into}`);
  await ask({ title: `Split ${nameOf(cluster)}`, text, fields, action: "Split", submit });
}
