import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { act, configure, render, screen, waitFor } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { createApi } from "../../api/client";
import { ApiProvider } from "../../api/context";
import type { Capabilities, Schemas } from "../../api/types";
import { FlashProvider } from "../../components/flashes";
import { LiveProvider } from "../../components/live";
import { SpeechProvider } from "../../i18n";
import { PreferencesProvider } from "../../preferences";
import { fieldId } from "./Field";
import { JobWizard } from "./JobWizard";
import { readKept } from "./kept";
import { lookFrom } from "./look.test-data";
import { changed, type Field } from "./model";
import { beginNew } from "./origin";

configure({ asyncUtilTimeout: 20_000 }); // the first page waits for its parts to be loaded
vi.setConfig({ testTimeout: 30_000 });

const CAPABILITIES = {
  regions: [{ name: "office", provider: "s3", storage_classes: [], canned_acls: [], options: {} }],
  operations: [],
  words: { manifest_formats: ["COSBatchOperations_CSV_V1", "COSInventoryReport_CSV_V1"] },
  limits: {},
} as unknown as Capabilities;
const LOOK = lookFrom({ etag: "of-a" });
const CHECKED: Schemas["ManifestCheckedView"] = {
  is_usable: true,
  is_complete: true,
  rows: 1,
  faults: [],
  more_faults: false,
  repeats: 0,
  first_repeats: [],
  delete_markers: 0,
  bytes_read: 10,
  size_bytes: 10,
  listed_objects: null,
  listed_bytes: null,
};
const VERDICT = "All rows were read: nothing is wrong.";

beforeEach(() => {
  sessionStorage.clear();
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

type Answer = Response | Promise<Response>;

/** The first step, with the list a.csv; `inspect` answers what is asked of a file. */
function open(inspect: (file: string) => Answer) {
  const answer = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname;
    if (path.endsWith("/session")) return Response.json({ user: "lin", operations: ["check_manifest"] });
    if (path.endsWith("/manifests:check")) return Response.json(CHECKED);
    if (!path.endsWith("/manifests:inspect")) return Response.json({ items: [], next_cursor: null });
    const form = (await request.json()) as Schemas["LookForm"];
    return inspect(form.manifest.location.object_arn.replace("arn:aws:s3:::lists/", ""));
  };
  const visit = beginNew(CAPABILITIES, "office");
  const beginning = changed(visit.beginning, {
    manifest: {
      location: { bucket: "lists", key: "a.csv" },
      spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
    },
  });
  const Component = () => <JobWizard visit={{ ...visit, beginning }} capabilities={CAPABILITIES} user="lin" />;
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <ApiProvider api={createApi(answer)}>
          <LiveProvider>
            <FlashProvider>
              <RouterProvider router={createMemoryRouter([{ path: "/", Component }])} />
            </FlashProvider>
          </LiveProvider>
        </ApiProvider>
      </SpeechProvider>
    </PreferencesProvider>,
  );
}

function refused(): Response {
  const error = { code: "AccessDenied", message: "no", request_id: "r1", faults: [] };
  return Response.json({ error }, { status: 403 });
}

function placeOf(field: Field) {
  const element = document.getElementById(fieldId(field));
  if (!element) throw new Error(`no ${field}`);
  return createWrapper(element);
}

function wizard() {
  const found = createWrapper().findWizard();
  if (!found) throw new Error("no wizard");
  return found;
}

function step(): string | undefined {
  return wizard().findHeader()?.getElement().textContent;
}

it("forgets what a check of all rows has found once keys are to be read otherwise", async () => {
  open(() => Response.json(LOOK));
  (await screen.findByText("Check whole manifest")).click();
  expect(await screen.findByText(VERDICT)).toBeTruthy();
  act(() => {
    placeOf("manifest.spec.key_encoding").findToggle()?.findNativeInput().click();
  });
  expect(screen.queryByText(VERDICT)).toBeNull();
  expect(await screen.findByText("Check whole manifest")).toBeTruthy();
});

it("goes on with no answer about another file than is named by now", async () => {
  const answers: ((answer: Response) => void)[] = [];
  let isSlow = false;
  open((file) => {
    if (file !== "a.csv") return refused();
    if (!isSlow) return Response.json(LOOK);
    return new Promise((resolve) => answers.push(resolve));
  });
  await screen.findByText("Check whole manifest");
  expect(step()).toContain("Choose inventory");
  isSlow = true;
  act(() => {
    wizard().findPrimaryButton().click();
  });
  await waitFor(() => {
    expect(answers).toHaveLength(1);
  });
  act(() => {
    placeOf("manifest.location.key").findInput()?.setInputValue("b.csv");
  });
  act(() => {
    answers[0]?.(Response.json(LOOK));
  });
  await waitFor(() => {
    expect(wizard().findPrimaryButton().getElement().getAttribute("aria-disabled")).not.toBe("true");
  });
  expect(step()).toContain("Choose inventory");
  expect(readKept("lin", "new")?.draft.manifest.location).toMatchObject({ key: "b.csv", etag: "" });
});

it("keeps the format that was chosen while the file is named, and goes on with it where that cannot be read", async () => {
  open(refused);
  const inventory = "COSInventoryReport_CSV_V1";
  await screen.findByText("Choose inventory", { selector: "h1 *" });
  const tile = () => placeOf("manifest.spec.format").findTiles()?.findInputByValue(inventory)?.getElement();
  act(() => {
    tile()?.click();
  });
  act(() => {
    placeOf("manifest.location.key").findInput()?.setInputValue("b");
  });
  expect(tile()?.checked).toBe(true);
  act(() => {
    wizard().findPrimaryButton().click();
  });
  await waitFor(() => {
    expect(step()).toContain("Operation configuration");
  });
});
