/** Clusters as the page names and lists them. */
import { all, get } from "./api.js";
import { address } from "./router.js";

export const nameOf = (cluster) => cluster.label ?? `Cluster ${cluster.id}`;

/** All clusters of a clustering, or of a cut of its tree: at most some thousands, without pictures but five. */
export const clustersOf = (clustering, page, { order = "size", k = null } = {}) =>
  all(address(`/v1/clusterings/${clustering}/clusters`, { limit: 500, order, k }), page);

/** One cluster, or null when corrections have left nothing of it. */
export async function clusterOf(clustering, number, page, k = null) {
  try {
    return await get(address(`/v1/clusterings/${clustering}/clusters/${number}`, { k }), page);
  } catch (error) {
    if (error.status === 404 && error.code === "cluster_not_found") return null;
    throw error;
  }
}
