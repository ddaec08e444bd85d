/**
 * A large file in pieces, by tus 1.0 (/v1/uploads): after a cut, a pause or a reload it goes on where it was. The entry
 * keeps the address of its upload, and the browser's store keeps that.
 */
import { newId, put } from "./upload-store.js";
import { carry } from "./wire.js";

export const PIECE = 8 * 2 ** 20; // what has no more than one piece has nothing to resume
const TUS = { "Tus-Resumable": "1.0.0" };
const BYTES = "application/offset+octet-stream";

/** Send what the service lacks of the batch's only file. Resolves with {job_id}: the job that takes it. */
export async function resume(batch, { progress, signal }) {
  const [entry] = batch.entries;
  let stand = (await asked(entry, signal)) ?? (await begun(entry, signal));
  batch.sent = stand.offset; // of before: not sent now
  progress(stand.offset);
  while (!stand.job) {
    const moved = (sent) => progress(Math.min(entry.size, stand.offset + sent));
    stand = await piece(entry, stand.offset, moved, signal);
    progress(stand.offset);
  }
  return { job_id: stand.job };
}

/** Let go of what the service has of a file that is not wanted any more. */
export async function giveUp({ upload }) {
  const signal = new AbortController().signal;
  if (upload) await carry("DELETE", upload, { headers: TUS, signal });
}

/** How far the upload is; null when there is none, or none any more. */
async function asked(entry, signal) {
  if (!entry.upload) return null;
  try {
    return standing(await carry("HEAD", entry.upload, { headers: TUS, signal }));
  } catch (error) {
    if (error.status !== 404) throw error;
    return null;
  }
}

async function begun(entry, signal) {
  const said = { filename: entry.name, collection: entry.collection, filetype: entry.archive ?? entry.file.type };
  const metadata = Object.entries(said).map(([name, value]) => `${name} ${base64(value)}`);
  const headers = { ...TUS, "Idempotency-Key": newId(), "Upload-Length": entry.size, "Upload-Metadata": metadata };
  const request = await carry("POST", "/v1/uploads", { headers, signal });
  entry.upload = request.getResponseHeader("Location");
  await put([entry]).catch(() => {}); // a browser that keeps nothing has said so when the file was added
  return standing(request);
}

async function piece(entry, offset, progress, signal) {
  const headers = { ...TUS, "Content-Type": BYTES, "Upload-Offset": offset };
  const body = entry.file.slice(offset, offset + PIECE);
  try {
    return standing(await carry("PATCH", entry.upload, { headers, body, progress, signal }));
  } catch (error) {
    if (error.code !== "upload_offset") throw error;
    return standing(await carry("HEAD", entry.upload, { headers: TUS, signal })); // a request cut before was kept
  }
}

function standing(request) {
  return { offset: Number(request.getResponseHeader("Upload-Offset")), job: request.getResponseHeader("Roost-Job") };
}

const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
