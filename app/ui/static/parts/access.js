/** Who may use the service, said plainly: whoever can reach an open one can see and delete everything. */
import { send } from "../core/api.js";
import { h } from "../core/dom.js";
import { facts } from "./facts.js";
import { complain } from "./toast.js";

export const SCOPES = {
  read: "look, search and export",
  write: "look, upload, sort, correct and delete",
  admin: "look, change, delete, and manage keys and owners",
};

export const access = (me, page) => (me.open ? open() : [...keyed(me), logOut(page)]);

const open = () => [
  h("p", {}, h("strong", {}, "Open to whoever reaches its address.")),
  h(
    "p.quiet",
    {},
    "There are no keys: everyone who can open this page can see, change and delete all collections. On the machine itself, where roost serve listens without keys, that is whoever uses it. The first key closes the service: roost key create NAME --scope admin.",
  ),
];

const keyed = (me) => [
  h("p", {}, "Only those who have a key may use this service, and each owner sees their own collections."),
  facts(["Logged in with", me.key], ["Owner", me.owner], ["May", SCOPES[me.scope] ?? me.scope]),
];

function logOut(page) {
  const leave = async () => {
    try {
      await send("DELETE", "/v1/session");
      page.reload();
    } catch (error) {
      complain(error);
    }
  };
  return h("div.actions", {}, h("button", { type: "button", onclick: leave }, "Log out"));
}
