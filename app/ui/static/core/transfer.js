/** A batch goes over the wire: as a form, an archive as the body, or what is large in pieces that can be resumed. */
import { resume } from "./resumable.js";
import { carry, parsed, refusal } from "./wire.js";

/**
 * Send a batch of files. `progress(bytes)` says how much of the files is sent.
 * Resolves with the answer's body; rejects with a Problem, or with an AbortError when `signal` is aborted.
 */
export async function transfer(batch, { progress, signal }) {
  if (batch.resumable) return resume(batch, { progress, signal });
  const moved = (sent, total) => progress(total ? Math.min(batch.size, (sent * batch.size) / total) : 0);
  const [body, type] = batch.type ? [batch.entries[0].file, { "Content-Type": batch.type }] : [form(batch), {}];
  const headers = { Accept: "application/json", "Idempotency-Key": batch.key, ...type };
  const path = `/v1/collections/${batch.collection}/images`;
  const request = await carry("POST", path, { headers, body, progress: moved, signal });
  const answer = parsed(request.responseText);
  if (!answer) throw refusal(request);
  return answer;
}

function form({ entries }) {
  const made = new FormData();
  for (const { file, name } of entries) made.append("files", file, name);
  return made;
}
