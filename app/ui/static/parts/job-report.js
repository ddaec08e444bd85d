/** What became of each file of an archive, as a table for a spreadsheet. */
import { csvLine, download } from "../core/csv.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { complain, toast } from "./toast.js";

const COLUMNS = ["name", "status", "code", "detail", "image_id"];
const KINDS = new Set(["ingest", "sample", "unpack", "fetch"]);

/** Only a job that took in files can have one; whether it was an archive is known when it is asked. */
export function reportButton(job) {
  if (!KINDS.has(job.kind) || (!job.result && !job.error?.code.startsWith("archive_"))) return null;
  const press = async () => {
    button.disabled = true;
    await save(job).catch(complain);
    button.disabled = false;
  };
  const button = h(
    "button.small",
    { type: "button", title: "What became of each file, as CSV", onclick: press },
    icon("download"),
    "Report",
  );
  return button;
}

/** Not by core/api.js: lines of JSON are no JSON. */
async function save(job) {
  const answer = await fetch(`/v1/jobs/${job.id}/report`);
  if (answer.status === 404)
    return toast(
      "These files came one by one, not in an archive: there is no report. What was rejected stands in the collection.",
    );
  if (!answer.ok) throw new Error(`The report could not be had: ${answer.status}.`);
  const lines = (await answer.text())
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return download("report.csv", [csvLine(COLUMNS), ...lines.map((line) => csvLine(COLUMNS.map((name) => line[name])))]);
}
