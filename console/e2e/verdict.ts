import { stripVTControlCharacters } from "node:util";

import type { Reporter, TestCase, TestResult } from "@playwright/test/reporter";

const LINES = 14;

/** Of an annotation that tells a figure, which is said also where it keeps to its budget. */
export const MEASURED = "measured";

/**
 * Says once more, behind everything else, what was measured, what failed and why: in few lines and without code, for who
 * sees nothing but the end of a log.
 */
export default class Verdict implements Reporter {
  private readonly measured: string[] = [];
  private readonly failed: string[] = [];

  onTestEnd(test: TestCase, result: TestResult): void {
    const figures = result.annotations.filter(({ type }) => type === MEASURED);
    this.measured.push(...figures.map(({ description = "" }) => description));
    if (result.status === test.expectedStatus || result.status === "skipped") return;
    const why = result.errors.map(({ message = "" }) => {
      const lines = stripVTControlCharacters(message)
        .split("\n")
        .filter((line) => line.trim());
      return [...lines.slice(0, LINES), ...(lines.length > LINES ? ["..."] : [])].join("\n    ");
    });
    this.failed.push([`${test.location.file}:${test.location.line} ${test.title}`, ...why].join("\n    "));
  }

  onEnd(): void {
    if (this.measured.length > 0) process.stdout.write(`\nMeasured:\n  ${this.measured.join("\n  ")}\n`);
    if (this.failed.length > 0) process.stdout.write(`\nWhat failed, and why:\n  ${this.failed.join("\n  ")}\n`);
  }
}
