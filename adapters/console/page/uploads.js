// Uploads: in chunks, resumed where they stand after a lost answer, finished once.

import { Refused, reach, send } from "./api.js";

const ATTEMPTS = 6;

/** Upload a file. `onProgress` hears a share from 0 to 1. Answers the stored file; throws Refused. */
export async function upload(file, onProgress, signal) {
  const body = JSON.stringify({ name: file.name || "image.png", size: file.size });
  const headers = { "Content-Type": "application/json" };
  const promise = await patiently(() => send("uploads/", { method: "POST", headers, body, signal }));
  let offset = promise.offset;
  while (offset < file.size) {
    offset = await patiently(() => sendChunk(promise, file, offset, signal), async () => {
      offset = await standing(promise.upload, signal);
    });
    onProgress(offset / file.size);
  }
  const { file: stored } = await patiently(() => send(`uploads/${promise.upload}/finish`, { method: "POST", signal }));
  return stored;
}

async function sendChunk(promise, file, offset, signal) {
  const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" };
  const body = file.slice(offset, offset + promise.chunk);
  try {
    return (await send(`uploads/${promise.upload}`, { method: "PATCH", headers, body, signal })).offset;
  } catch (error) {
    if (error.status === 409 && "offset" in error.answer) return error.answer.offset;
    throw error;
  }
}

async function standing(upload, signal) {
  const response = await reach(`uploads/${upload}`, { method: "HEAD", signal });
  const offset = Number(response.headers.get("Upload-Offset"));
  if (!response.ok || Number.isNaN(offset)) throw new Refused("unknown_upload");
  return offset;
}

/** Do it again while that may help, a little later each time. */
async function patiently(step, before = async () => {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await before();
      return await step();
    } catch (error) {
      const passing = error.retry || [429, 503, 507].includes(error.status);
      if (error.name === "AbortError" || attempt === ATTEMPTS || !passing) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * 2 ** attempt));
    }
  }
}
