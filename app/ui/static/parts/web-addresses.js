/** Pictures that the service fetches itself, from the hosts that whoever runs it allows. */
import { get, post } from "../core/api.js";
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { go } from "../core/router.js";
import { ask, field, sheet } from "./dialog.js";
import { toast } from "./toast.js";

const TITLE = "Add pictures from the web";
const MOST = 1000; // what one import takes

/** Ask for addresses, one a line, and have them fetched. */
export async function fromTheWeb(collection) {
  const { import_hosts: hosts } = await get("/v1/system");
  if (!hosts.length) return off();
  const submit = async ({ addresses }) => {
    const urls = listed(addresses);
    await post(`/v1/collections/${collection}/imports`, { urls });
    return urls.length;
  };
  const count = await ask({ title: TITLE, fields: [box(hosts)], action: "Fetch", wide: true, submit });
  if (!count) return;
  toast(`Fetching from ${counted(count, "address", "addresses")}.`);
  go(`/collections/${collection}`);
}

function box(hosts) {
  const placeholder = `https://${hosts[0].replace("*", "www")}/birds/0012.jpg`;
  return field(
    "Addresses, one a line",
    { name: "addresses", rows: 8, required: true, autofocus: true, spellcheck: false, placeholder },
    `This service fetches from ${hosts.join(", ")}. One that cannot be fetched is left out, with the reason in the job's report.`,
  );
}

function listed(text) {
  const urls = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (!urls.length) throw new Error("Write at least one address.");
  if (urls.length > MOST) throw new Error(`These are ${urls.length} addresses; at most ${MOST} go at once.`);
  return urls;
}

function off() {
  const example = h("code", {}, "ROOST_IMPORT_HOSTS=images.example.org");
  sheet(
    TITLE,
    h("p", {}, "This service does not fetch pictures from the web yet."),
    h("p", {}, "Whoever runs it can name the hosts that it may ask, and start it again: ", example),
  );
}
