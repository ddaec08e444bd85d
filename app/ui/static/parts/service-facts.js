/** What /v1/system says, in words. */
import { h } from "../core/dom.js";
import { ago, bytes, count } from "../core/format.js";
import { facts } from "./facts.js";

export function storage({ kind, images, bytes: used, free, total }) {
  const bar = total ? h("meter.disk", { min: 0, max: total, value: total - free, "aria-label": "Disk in use" }) : null;
  return [
    facts(
      ["Pictures", count(images)],
      ["They take", bytes(used)],
      free !== null && ["Free on the disk", total ? `${bytes(free)} of ${bytes(total)}` : bytes(free)],
      ["Kept in", { local: "a folder of this machine", s3: "an object store (S3)" }[kind] ?? kind],
    ),
    bar,
  ];
}

export function running(system) {
  const workers = system.workers.map((one) => h("span.worker", {}, workerWords(one)));
  return facts(
    ["Roost", system.version],
    ["Python", system.python],
    [
      "Embeds on",
      {
        cpu: "the processor",
        cuda: "the graphics card",
        auto: "the graphics card if there is one, else the processor",
      }[system.device] ?? system.device,
    ],
    ["Database", { sqlite: "SQLite", postgresql: "PostgreSQL" }[system.database] ?? system.database],
    ["Broker", { embedded: "none needed, all in one process", redis: "Redis" }[system.broker] ?? system.broker],
    ["Workers", workers.length ? workers : "none is alive"],
  );
}

const workerWords = ({ name, queues, last_seen: seen }) => `${name} · ${queues.join(", ")} · heard of ${ago(seen)}`;

const LIMITS = {
  file_bytes: ["Largest picture", bytes],
  pixels: ["Its pixels, times frames", (value) => `${count(value / 1e6)} million`],
  upload_files: ["Files in one request", count],
  archive_bytes: ["Largest archive", bytes],
  archive_members: ["Files in an archive", count],
  archive_ratio: ["Unpacked to packed", (value) => `${count(value)} to 1`],
};

/** One that is newer than this page is shown by its own name. */
export const limits = (given) =>
  facts(
    ...Object.entries(given)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => {
        const [title, show] = LIMITS[name] ?? [name.replaceAll("_", " "), String];
        return [title, show(value)];
      }),
  );
