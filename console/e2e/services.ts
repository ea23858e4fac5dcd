import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { StorageState } from "./fixtures";
import { COSBATCH, ended, firstLine } from "./stage";
import { KEY } from "./store";

const ROOT = join(import.meta.dirname, "../..");
const USER = "admin";
const PASSWORD = "four other words in a row";
interface Region {
  endpoint: string;
  profile: string;
}

interface Choices {
  /** By name. By themselves: `home`, whose store has a manifest, and nobody is given it: jobs are listed, and wait. */
  regions?: Readonly<Record<string, Region>>;
  /** More settings of the service, in YAML. */
  settings?: string;
}

function settingsOf(regions: Readonly<Record<string, Region>>, more: string): string {
  const written = Object.entries(regions).map(
    ([name, { endpoint, profile }]) => `\
  ${name}:
    endpoint: ${endpoint}
    profile: ${profile}
    credentials:
      access_key_id: env:COSBATCH_E2E_KEY_ID
      secret_access_key: env:COSBATCH_E2E_SECRET
`,
  );
  return `\
workers: 1
server:
  calls_per_minute: 100000
  logins_per_minute: 1000
${more}
regions:
${written.join("")}`;
}

export interface Service {
  address: string;
  process: ChildProcess;
}

/** A data folder of its own and the services on it; all of it goes with `end`. */
export interface Ground {
  /** So many services more, all at once. The first password is changed. */
  start: (count?: number) => Promise<[Service, ...Service[]]>;
  /** For the header "cookie", and for the one of that name of calls that write. */
  logIn: (address: string) => Promise<Login>;
  /** Many jobs that nobody works on; while no service runs, and after one was made. */
  fill: (count: number) => void;
  stop: (service: Service) => Promise<void>;
  end: () => Promise<void>;
}

export interface Login {
  cookie: string;
  csrfToken: string;
}

export async function newGround({ regions, settings = "" }: Choices = {}): Promise<Ground> {
  const store = await startStore();
  const folder = mkdtempSync(join(tmpdir(), "cosbatch-e2e-"));
  const data = join(folder, "state");
  const config = join(folder, "cosbatch.yaml");
  writeFileSync(config, settingsOf(regions ?? { home: { endpoint: store.address, profile: "minio" } }, settings));
  const started: ChildProcess[] = [];
  return {
    start: async (count = 1) => {
      const one = () => startService(config, data, started);
      const [first, ...others] = await Promise.all([one(), ...Array.from({ length: count - 1 }, one)]);
      await changeFirstPassword(first.address, join(data, "first-run.json"));
      return [first, ...others];
    },
    logIn: (address) => logIn(address, PASSWORD),
    fill: (count) => {
      const python = join(ROOT, ".venv/bin/python");
      const { status, stderr } = spawnSync(python, ["-m", "tests.many_jobs", data, String(count)], { cwd: ROOT });
      if (status !== 0) throw new Error(stderr.toString());
    },
    stop: (service) => ended(service.process),
    end: async () => {
      await Promise.all(started.map(ended));
      await store.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `started` has it from the first moment on, so that it is ended whatever becomes of it. */
async function startService(config: string, data: string, started: ChildProcess[]): Promise<Service> {
  const program = spawn(COSBATCH, ["serve", "--json", "--port", "0", "--config", config, "--data", data], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, COSBATCH_E2E_KEY_ID: KEY.id, COSBATCH_E2E_SECRET: KEY.secret },
  });
  started.push(program);
  const kill = () => program.kill("SIGKILL"); // where a test takes too long, nobody comes to its end
  process.once("exit", kill);
  program.once("exit", () => process.off("exit", kill));
  const told = await firstLine(program);
  const { address } = JSON.parse(told) as { address?: string };
  if (!address) throw new Error(told);
  return { address, process: program };
}

async function startStore(): Promise<{ address: string; end: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const isLook = request.method === "HEAD";
    response.writeHead(isLook ? 200 : 503, {
      etag: '"9c1185a5c5e9fc54612808977ee8f548"',
      "last-modified": "Thu, 26 Nov 2026 08:00:00 GMT",
      "content-length": isLook ? 100 : 0,
    });
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    end: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The id of a new job, which waits for its store, unless `changes` name another one. */
export async function makeJob(address: string, login: Login, description: string, changes = {}): Promise<string> {
  const made = await ask<{ job_id: string }>(address, login, {
    method: "POST",
    path: "/jobs",
    body: {
      region: "home",
      client_request_token: randomUUID(),
      description,
      manifest: {
        location: { object_arn: "arn:aws:s3:::control/manifest.json" },
        spec: { format: "COSInventoryReport_CSV_V1" },
      },
      operation: { cos_put_object_copy: { target_resource: "arn:aws:s3:::archive" } },
      report: { enabled: false },
      confirmation_required: true,
      ...changes,
    },
  });
  return made.job_id;
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
}

/** Calls the API of a service of one's own. */
export async function ask<Answer>(address: string, login: Login, { method, path, body }: Call): Promise<Answer> {
  const answer = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { ...headersOf(login), origin: address },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as Answer;
}

/** What a browser keeps of a login. */
export function loggedIn({ cookie }: Login): StorageState {
  const [name = "", value = ""] = cookie.split(/=(.*)/s);
  const kept = { name, value, domain: "127.0.0.1", path: "/", expires: -1, httpOnly: true, secure: false };
  return { cookies: [{ ...kept, sameSite: "Lax" }], origins: [] };
}

export function headersOf({ cookie, csrfToken }: Login): Record<string, string> {
  return { cookie, "x-csrf-token": csrfToken, "content-type": "application/json" };
}

async function logIn(address: string, password: string): Promise<Login> {
  const answer = await fetch(`${address}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: address },
    body: JSON.stringify({ user: USER, password }),
  });
  if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`);
  const { csrf_token } = (await answer.json()) as { csrf_token: string };
  return { cookie: (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "", csrfToken: csrf_token };
}

async function changeFirstPassword(address: string, path: string): Promise<void> {
  if (!existsSync(path)) return;
  const { password } = JSON.parse(readFileSync(path, "utf-8")) as { password: string };
  const login = await logIn(address, password);
  const answer = await fetch(`${address}/api/v1/session/password`, {
    method: "PUT",
    headers: { ...headersOf(login), origin: address },
    body: JSON.stringify({ password, new_password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`change of password: ${answer.status} ${await answer.text()}`);
}
