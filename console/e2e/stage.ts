import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Where the service is and how to get in: one line of JSON, as `cosbatch demo-console --json` prints it. */
export interface Stage {
  address: string;
  user: string;
  password: string;
  /** An API token of an administrator. */
  token: string;
}

export const COSBATCH = join(import.meta.dirname, "../../.venv/bin/cosbatch");
const STAGE = "COSBATCH_STAGE";
const READY_MS = 360_000;
const END_MS = 60_000;

/** Starts the service before the tests and ends it behind them; one that the environment names is used as it is. */
export default async function globalSetup(): Promise<() => Promise<void>> {
  if (process.env[STAGE]) return () => Promise.resolve();
  const { stage, end } = await startStage();
  process.env[STAGE] = JSON.stringify(stage);
  return end;
}

export function stage(): Stage {
  const text = process.env[STAGE];
  if (!text) throw new Error(`${STAGE} is not set: these tests run by "make console-e2e"`);
  return JSON.parse(text) as Stage;
}

/** A service of its own; `options` as of `cosbatch demo-console`. */
export async function startStage(
  ...options: string[]
): Promise<{ stage: Stage; end: () => Promise<void>; pid: number }> {
  const folder = mkdtempSync(join(tmpdir(), "cosbatch-e2e-"));
  const program = spawn(COSBATCH, ["demo-console", "--json", "--port", "0", "--folder", folder, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const end = async () => {
    await ended(program);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const started = JSON.parse(await firstLine(program)) as Stage;
    return { stage: started, end, pid: program.pid ?? 0 };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What a program prints first; an error where it ends before, or takes too long. */
export function firstLine(program: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
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
    const late = setTimeout(() => program.kill("SIGKILL"), END_MS);
    program.once("exit", () => {
      clearTimeout(late);
      resolve();
    });
    program.kill("SIGTERM");
  });
}
