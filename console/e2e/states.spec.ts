import type { Locator, Page } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { faultsInAllWays, faultsOf, type Look, watchful } from "./looks";
import { listen, turnTo } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long
test.setTimeout(240_000);

/** A job of the stage that copies, by its description. */
const COPY = "Copy the public albums to the archive";
/** Those that wait for their confirmation: one copies, one deletes. */
const DAILY = "Copy everything of the daily inventory";
const CLEANING = "清理临时文件";

interface Listed {
  items: { job_id: string; actions: string[] }[];
}

/** A job of the stage of which somebody may ask an action now. */
async function jobFor(action: string, query = ""): Promise<string> {
  const { items } = await call<Listed>("GET", `/jobs?limit=100${query}`);
  // The oldest: whatever jobs other tests have made meanwhile, it is one of the stage.
  const found = items.findLast(({ actions }) => actions.includes(action));
  if (!found) throw new Error(`the stage has no job of which ${action} can be asked`);
  return found.job_id;
}

async function next(page: Page, step: string): Promise<void> {
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
}

test("the wizard's steps behind the first one, with each operation", async ({ page }) => {
  const look = watchful(page);
  await page.goto(`/ui/jobs/create?from=${await jobFor("clone", `&q=${encodeURIComponent(COPY)}`)}`);
  await next(page, "Operation configuration");
  await look("copy");
  for (const operation of ["Set tags", "Delete"]) {
    await page.getByRole("radio", { name: new RegExp(`^${operation}`) }).check();
    await look(operation);
  }
  await page.getByRole("radio", { name: /^Copy/ }).first().check();
  await next(page, "Other configurations");
  await look("other configurations");
  await next(page, "Information check");
  await expect(page.getByRole("heading", { name: "Checks" }).first()).toBeVisible();
  await look("information check");
});

function dialogOf(page: Page): Locator {
  return page.getByRole("dialog").filter({ visible: true });
}

/** Looks at the dialog that is open now, and leaves it without doing what it asks. */
async function lookAtDialog(page: Page, look: Look, name: string): Promise<void> {
  await expect(dialogOf(page)).toHaveCount(1);
  await look(name);
  await expect(dialogOf(page), `${name}: what was looked at is still there`).toHaveCount(1);
  await dialogOf(page).getByRole("button").first().press("Escape");
  await expect(dialogOf(page)).toHaveCount(0);
}

/** The only job that the list shows then: what lies behind a dialog is looked at, too, and takes its time. */
async function showAlone(page: Page, id: string): Promise<void> {
  await turnTo(page, `/ui/jobs?q=${id}`);
  await expect(page.locator("#content tbody").getByRole("checkbox")).toHaveCount(1);
}

/** What can be asked of a job, by what the menu says. */
const JOB_ACTIONS = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel job",
  change_priority: "Change priority",
  delete: "Delete job record",
};

test("what is asked before something is done with a job", async ({ page }) => {
  const look = watchful(page);
  for (const [action, name] of Object.entries(JOB_ACTIONS)) {
    // Other tests' jobs may come before one that runs, for a while; then it cannot be asked of that one any more.
    await expect(async () => {
      await page.keyboard.press("Escape");
      await showAlone(page, await jobFor(action));
      await page.locator("#content tbody").getByRole("checkbox").check({ timeout: 5_000 });
      await page.locator("#content").getByRole("button", { name: "Actions" }).click({ timeout: 5_000 });
      const item = page.getByRole("menuitem", { name });
      await expect(item).toBeEnabled();
      await item.click({ timeout: 5_000 });
      await expect(dialogOf(page)).toHaveCount(1);
    }).toPass({ timeout: 60_000 });
    await lookAtDialog(page, look, action);
  }
});

test("what is asked before a job runs that has waited for it", async ({ page }) => {
  const look = watchful(page);
  for (const description of [DAILY, CLEANING]) {
    await showAlone(page, await jobFor("confirm", `&q=${encodeURIComponent(description)}`));
    await page
      .locator("#content tbody")
      .getByRole("button", { name: /^Confirm / })
      .click();
    await expect(dialogOf(page).locator("tbody .mono").first()).toBeVisible();
    await lookAtDialog(page, look, `confirm: ${description}`);
  }
});

/** What can be asked of what the stage has in its lists, by the buttons that lead there; the first one may be a menu. */
const QUESTIONS = [
  { path: "/ui/users", row: "lin", menu: ["Change rights", "Reset password"] },
  { path: "/ui/users?tab=tokens", row: "dashboard on the wall", buttons: ["Revoke token"] },
  { path: "/ui/webhooks", row: "hooks.example.com/cosbatch", menu: ["Rotate secret"] },
  { path: "/ui/roles", row: "archive-writer", menu: ["Change its key"], buttons: ["Test access"] },
];

test("what is asked before something is done with one of a list", async ({ page }) => {
  const look = watchful(page);
  const content = page.locator("#content");
  for (const { path, row, menu = [], buttons = [] } of QUESTIONS) {
    await test.step(path, async () => {
      await turnTo(page, path);
      await content.getByRole("row").filter({ hasText: row }).getByRole("radio").check();
      for (const name of buttons) {
        await content.getByRole("button", { name, exact: true }).click();
        await lookAtDialog(page, look, name);
      }
      for (const name of menu) {
        await content.getByRole("button", { name: "Actions", exact: true }).click();
        await page.getByRole("menuitem", { name, exact: true }).click();
        await lookAtDialog(page, look, name);
      }
    });
  }
});

/** Makes something that has a secret, in the form which the page's button opens, and looks at what is told once. */
async function lookAtSecret(page: Page, look: Look, button: string, fields: Record<string, string>): Promise<void> {
  await page.getByRole("button", { name: button, exact: true }).click();
  for (const [label, text] of Object.entries(fields)) {
    await dialogOf(page).getByLabel(label, { exact: true }).fill(text);
  }
  await dialogOf(page).getByRole("button", { name: "Create", exact: true }).click();
  await expect(dialogOf(page).getByText("Copy it now. It is not shown again.")).toBeVisible();
  await look(`${button}: its secret`);
  const kept = dialogOf(page).getByRole("button", { name: "I have kept it" });
  await kept.press("Escape");
  await kept.click(); // it is there still
  await expect(dialogOf(page)).toHaveCount(0);
}

test("an access key's secret, and what is asked before the key is deleted", async ({ page }) => {
  const look = watchful(page);
  const description = `e2e-look-${Date.now()}`;
  await page.goto("/ui/users?tab=keys");
  await lookAtSecret(page, look, "Create access key", { Description: description });
  const made = await madeAs<Key>("/access-keys?limit=100", description);
  await call("PATCH", `/access-keys/${made.access_key_id}`, { is_disabled: true });
  await page.goto("/ui/users?tab=keys");
  await page.getByRole("row").filter({ hasText: description }).getByRole("radio").check();
  await page.locator("#content").getByRole("button", { name: "Delete", exact: true }).click();
  await lookAtDialog(page, look, "a key to be deleted");
  await call("DELETE", `/access-keys/${made.access_key_id}`);
});

test("a token's text, and a webhook's secret", async ({ page }) => {
  const look = watchful(page);
  const name = `e2e-look-${Date.now()}`;
  await turnTo(page, "/ui/users?tab=tokens");
  await lookAtSecret(page, look, "Create token", { Description: name });
  await call("DELETE", `/tokens/${(await madeAs<Token>("/tokens?limit=100", name)).id}`);

  await turnTo(page, "/ui/webhooks");
  await lookAtSecret(page, look, "Create webhook", { Name: name, Address: "https://hooks.example.com/e2e" });
  await call("DELETE", `/webhooks/${name}`);
});

interface Made {
  description: string;
}

interface Key extends Made {
  access_key_id: string;
}

interface Token extends Made {
  id: string;
}

/** What a page has made just now, by its description. */
async function madeAs<Kind extends Made>(path: string, description: string): Promise<Kind> {
  const { items } = await call<{ items: Kind[] }>("GET", path);
  const made = items.find((each) => each.description === description);
  if (!made) throw new Error(`${path} has nothing that is described as ${description}`);
  return made;
}

test.describe("where the service answers nothing", () => {
  test.use({ expectedFaults: [/status of 503/] });

  test("lists say so, and how to go on", async ({ page }) => {
    const look = watchful(page);
    const error = {
      code: "LedgerUnavailable",
      message: "the ledger cannot be read",
      request_id: "5f1ce0ae41fd40a5a4d5",
      faults: [],
    };
    await page.route(/\/api\/v1\/(jobs\?|users)/, (route) => route.fulfill({ status: 503, json: { error } }));
    for (const path of ["/ui/jobs", "/ui/users"]) {
      await turnTo(page, path);
      await expect(page.getByRole("button", { name: "Retry" }).first()).toBeVisible();
      await look(`${path} without an answer`);
    }
  });
});

test.describe("of who may not", () => {
  test.use({ as: "mei" });

  test("pages say so, and what it takes", async ({ page }) => {
    const look = watchful(page);
    for (const path of ["/ui/users", "/ui/jobs/create"]) {
      await turnTo(page, path);
      await look(`${path} of a viewer`);
    }
  });
});

test("what these tests look for is found where it is, in a dialog", async ({ page }) => {
  const told = listen(page);
  await page.goto("/ui/roles?create=1");
  const dialog = page.getByRole("dialog").filter({ visible: true });
  await expect(dialog).toBeVisible();
  expect(await faultsOf(page, "en", told)).toEqual([]);
  await dialog.evaluate((shown) => {
    const box = document.createElement("div");
    box.append("a long text that is cut off");
    box.style.cssText = "width: 40px; overflow: hidden; white-space: nowrap; color: #eee; background: #fff";
    const wide = document.createElement("div");
    wide.append("创建任务");
    wide.style.cssText = "position: absolute; top: 0; width: 3000px";
    const themed = document.createElement("div");
    themed.style.cssText = "position: absolute; top: 0; height: 1px";
    const styles = new CSSStyleSheet();
    styles.replaceSync(".themed { width: 1px } .awsui-dark-mode .themed { width: 2px }");
    document.adoptedStyleSheets.push(styles);
    themed.className = "themed";
    wide.append(themed);
    shown.querySelector("form")?.append(box);
    document.querySelector("#content")?.append(wide);
  });
  const faults = await faultsOf(page, "en", told, { patienceMs: 0 }); // none of them goes away
  for (const fault of [
    "color-contrast: ",
    "scrolls to the side by ",
    "cuts off: a long text",
    "says in another language: 创建任务",
    'has another place in the other theme: <div class="themed"',
  ]) {
    expect(faults).toContainEqual(expect.stringContaining(fault));
  }
});

test("what these tests look for is found in each language and each theme", async ({ page }) => {
  const told = listen(page);
  await page.goto("/ui/roles?create=1");
  await expect(dialogOf(page)).toBeVisible();
  await dialogOf(page).evaluate((shown) => {
    const faulty = (way: string, tag: string, around: Element | null) => {
      const fault = document.createElement(tag);
      fault.dataset["way"] = way;
      fault.style.cssText = "position: absolute; top: 0; width: 1100px; height: 1px"; // too wide for one of the sizes
      around?.append(fault);
    };
    for (const way of ["zh-CN, dark", "en, light"]) {
      faulty(way, "button", shown.querySelector("form"));
      faulty(way, "div", document.querySelector("#content"));
    }
    const showOne = () => {
      const theme = document.body.classList.contains("awsui-dark-mode") ? "dark" : "light";
      for (const fault of document.querySelectorAll<HTMLElement>("[data-way]")) {
        fault.hidden = fault.dataset["way"] !== `${document.documentElement.lang}, ${theme}`;
      }
      requestAnimationFrame(showOne);
    };
    showOne();
  });
  expect(await faultsInAllWays(page, told)).toEqual([
    expect.stringMatching("zh-CN, dark: button-name: "),
    expect.stringMatching("zh-CN, dark: scrolls to the side by "),
    expect.stringMatching("en, light: button-name: "),
    expect.stringMatching("en, light: scrolls to the side by "),
  ]);
});
