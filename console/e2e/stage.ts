import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** Where the service is and how to get in: one line of JSON, as `cosbatch demo-console --json` prints it. */
export interface Stage {
  address: string;
  user: string;
  password: string;
  /** An API token of an administrator. */
  token: string;
}

export const COSBATCH = join(import.meta.dirname, "../../.venv/bin/cosbatch");
/** One that the environment names is used as it is. */
const STAGE = "COSBATCH_STAGE";
/** Where the workers find what came of the one that is started here. */
const STAGE_FILE = "COSBATCH_STAGE_FILE";
export const READY_MS = 360_000;
const LOOK_MS = 100;
const END_MS = 60_000;

/**
 * Starts the service beside the first tests, which have services of their own, and ends it behind the last one. Tests
 * that are in it wait for it by `ready`.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  if (process.env[STAGE]) return () => Promise.resolve();
  const folder = await mkdtemp(join(tmpdir(), "cosbatch-stage-"));
  const path = join(folder, "stage.json");
  process.env[STAGE_FILE] = path;
  const told = async (what: Told) => {
    await writeFile(`${path}.new`, JSON.stringify(what));
    await rename(`${path}.new`, path); // whoever finds it finds all of it
  };
  const program = launch();
  const starting = program.started.then(
    (stage) => told({ stage }),
    (error: unknown) => told({ problem: String(error) }),
  );
  return async () => {
    await program.end();
    await starting;
    await rm(folder, { recursive: true });
  };
}

type Told = { stage: Stage } | { problem: string };

/** Waits until the service is there; an error where it does not come to be. */
export async function ready(): Promise<void> {
  const path = process.env[STAGE_FILE];
  if (process.env[STAGE] || !path) return;
  for (const begun = Date.now(); !existsSync(path); await setTimeout(LOOK_MS)) {
    if (Date.now() - begun > READY_MS) throw new Error(`the service is not there after ${READY_MS / 1000} s`);
  }
  const told = JSON.parse(await readFile(path, "utf-8")) as Told;
  if ("problem" in told) throw new Error(told.problem);
  process.env[STAGE] = JSON.stringify(told.stage);
}

/** Where the service is, for tests, which come when it is ready. */
export function stage(): Stage {
  const text = process.env[STAGE];
  if (!text) throw new Error(`${STAGE} is not set: these tests run by "make console-e2e"`);
  return JSON.parse(text) as Stage;
}

interface Launched {
  started: Promise<Stage>;
  end: () => Promise<void>;
  pid: number;
}

/** A service of its own; `options` as of `cosbatch demo-console`. */
export async function startStage(
  ...options: string[]
): Promise<{ stage: Stage; end: () => Promise<void>; pid: number }> {
  const { started, end, pid } = launch(...options);
  try {
    return { stage: await started, end, pid };
  } catch (error) {
    await end();
    throw error;
  }
}

function launch(...options: string[]): Launched {
  const folder = mkdtempSync(join(tmpdir(), "cosbatch-e2e-"));
  const program = spawn(COSBATCH, ["demo-console", "--json", "--port", "0", "--folder", folder, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return {
    started: firstLine(program).then((line) => JSON.parse(line) as Stage),
    end: async () => {
      await ended(program);
      rmSync(folder, { recursive: true, force: true });
    },
    pid: program.pid ?? 0,
  };
}

/** What a program prints first; an error where it ends before, or takes too long. */
export function firstLine(program: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = global.setTimeout(() => {
      reject(new Error(`the service was not ready within ${READY_MS / 1000} s`));
    }, READY_MS);
    program.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`the service ended with ${code} before it was ready`));
    });
    if (!program.stdout) throw new Error("no output to read");
    createInterface(program.stdout).once("line", (line) => {
      clearTimeout(late);
      resolve(line);
    });
  });
}

/** Ends a program as a signal of the system does, and by force where that takes too long. */
export function ended(program: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (program.exitCode !== null || program.signalCode !== null) {
      resolve();
      return;
    }
    const late = global.setTimeout(() => program.kill("SIGKILL"), END_MS);
    program.once("exit", () => {
      clearTimeout(late);
      resolve();
    });
    program.kill("SIGTERM");
  });
}
