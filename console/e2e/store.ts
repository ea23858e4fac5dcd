import { createHash, createHmac } from "node:crypto";

import { call } from "./fixtures";

/** Of the stage's own store; they are told to nobody else. */
export const KEY = { id: "AKMAIN", secret: "SKMAIN" };
const REGION = "demo";
const SIGNING_REGION = "us-east-1";

export const SOURCE = "photos-1250000000";
export const TARGET = "archive-1250000000";
export const CONTROL = "control-1250000000";

export interface MadeJob {
  job_id: string;
  status: string;
  description: string;
  progress_summary: { number_of_tasks_succeeded: number; number_of_tasks_failed: number };
}

/** The ETag of an object that was written over the S3 protocol, as somebody does behind the console's back. */
export async function putObject(bucket: string, key: string, body: string): Promise<string> {
  const url = new URL(`/${bucket}/${key}`, await storeAddress());
  const answer = await fetch(url, { method: "PUT", body, headers: signed("PUT", url, body) });
  if (!answer.ok) throw new Error(`PUT ${url.href}: ${answer.status} ${await answer.text()}`);
  return (answer.headers.get("etag") ?? "").replaceAll('"', "");
}

/** Where the stage's own store listens. */
export async function storeAddress(): Promise<string> {
  const { items } = await call<{ items: { name: string; connection: { endpoint: string } }[] }>("GET", "/regions");
  const region = items.find(({ name }) => name === REGION);
  if (!region) throw new Error(`the stage has no region ${REGION}`);
  return region.connection.endpoint;
}

/** A CSV list of photos in the store, `count` of them from `first` on; its name in the bucket for control. */
export async function putList(name: string, { first = 0, count = 12 } = {}): Promise<{ key: string; etag: string }> {
  const rows = Array.from({ length: count }, (_, index) => {
    return `${SOURCE},photos/000/img-${String(first + index).padStart(5, "0")}.jpg\n`;
  });
  const key = `manifests/e2e-${name}.csv`;
  return { key, etag: await putObject(CONTROL, key, rows.join("")) };
}

/** A job over a list, as the sample is one otherwise; it waits for its confirmation unless `changes` say else. */
export async function makeJob(list: string, changes: Record<string, unknown>): Promise<MadeJob> {
  const { sample } = await call<{ sample: { manifest: object } }>("GET", "/capabilities");
  const location = { object_arn: `arn:aws:s3:::${CONTROL}/${list}` };
  return call("POST", "/jobs", { ...sample, manifest: { ...sample.manifest, location }, ...changes });
}

export async function jobOf(id: string): Promise<MadeJob> {
  return call("GET", `/jobs/${id}`);
}

/** Of all jobs, those whose description has the words. */
export async function jobsWith(words: string): Promise<MadeJob[]> {
  const page = await call<{ items: MadeJob[] }>("GET", `/jobs?q=${encodeURIComponent(words)}&limit=100`);
  return page.items;
}

export async function cancelJob(id: string): Promise<void> {
  await call("PUT", `/jobs/${id}/status`, { requested_job_status: "Cancelled" });
}

/** AWS's signature version 4 of a request without a query. */
function signed(method: string, url: URL, body: string): Record<string, string> {
  const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = now.slice(0, 8);
  const payload = sha256(body);
  const names = "host;x-amz-content-sha256;x-amz-date";
  const headers = `host:${url.host}\nx-amz-content-sha256:${payload}\nx-amz-date:${now}\n`;
  const canonical = [method, url.pathname, "", headers, names, payload].join("\n");
  const scope = `${day}/${SIGNING_REGION}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", now, scope, sha256(canonical)].join("\n");
  const key = [day, SIGNING_REGION, "s3", "aws4_request"].reduce<Buffer | string>(hmac, `AWS4${KEY.secret}`);
  const signature = hmac(key, text).toString("hex");
  return {
    "x-amz-content-sha256": payload,
    "x-amz-date": now,
    authorization: `AWS4-HMAC-SHA256 Credential=${KEY.id}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
