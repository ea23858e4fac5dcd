import type { Locator, Page } from "@playwright/test";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test as inStage } from "./fixtures";
import { ENGLISH } from "./languages";
import { type Look, watchful } from "./looks";
import { ask, type Login, loggedIn, newGround } from "./services";
import { turnTo } from "./visits";

interface House {
  address: string;
  login: Login;
}

/** Of the audit log, from the left, up to the last one that is looked at. */
const COLUMNS = ["Time", "Account", "Who", "Way in", "Action", "Target"];

/** On a service of its own, in which there is nothing yet: each test makes what it needs, and takes it away. */
const test = inStage.extend<{ look: Look }, { house: House }>({
  house: [
    async ({}, use) => {
      const ground = await newGround({ settings: "  webhooks_allow_private: true" });
      try {
        const [{ address }] = await ground.start();
        await use({ address, login: await ground.logIn(address) });
      } finally {
        await ground.end();
      }
    },
    { scope: "worker", timeout: 240_000 },
  ],
  baseURL: async ({ house }, use) => {
    await use(house.address);
  },
  storageState: async ({ house }, use) => {
    await use(loggedIn(house.login));
  },
  look: async ({ page }, use) => {
    await use(watchful(page));
  },
});

test.setTimeout(180_000);

function dialogOf(page: Page): Locator {
  return page.getByRole("dialog").filter({ visible: true });
}

function rowOf(page: Page, text: string): Locator {
  return page.locator("#content").getByRole("row").filter({ hasText: text });
}

async function press(within: Page | Locator, name: string): Promise<void> {
  await within.getByRole("button", { name, exact: true }).click();
}

/** Chooses in the menu of what is selected. */
async function act(page: Page, name: string): Promise<void> {
  await press(page, "Actions");
  await page.getByRole("menuitem", { name, exact: true }).click();
}

/** What was done stands above the page, in the language in which it was said, until it is dismissed. */
async function dismiss(page: Page, text: string): Promise<void> {
  await expect(page.getByText(text)).toBeVisible();
  await press(page, "Dismiss");
  await expect(page.getByText(text)).toHaveCount(0);
}

/** What the dialog says of a secret that is told once. */
async function secretIn(page: Page, label: string): Promise<string> {
  const dialog = dialogOf(page);
  await expect(dialog.getByText("Copy it now. It is not shown again.")).toBeVisible();
  const value = dialog.locator("dt", { hasText: label }).locator("xpath=following-sibling::dd[1]");
  return (await value.innerText()).trim();
}

test("an empty service says what each list is for", async ({ page, look }) => {
  const lists = {
    "/ui/jobs": "No jobs yet. Create one from a manifest.",
    "/ui/roles": "No roles",
    "/ui/webhooks": "No webhooks",
    "/ui/users?tab=tokens": "No API tokens",
  };
  for (const [path, text] of Object.entries(lists)) {
    await turnTo(page, path);
    await expect(page.getByText(text).first()).toBeVisible();
    await look(`${path} without anything`);
  }
});

test("a user is made, gets other rights and another password, and is deleted", async ({ page, look }) => {
  await page.goto("/ui/users");
  await press(page, "Create user");
  await dialogOf(page).getByLabel("User name").fill("nora");
  await look("a user to be made");
  await press(dialogOf(page), "Create");
  const first = await secretIn(page, "Password");
  await look("a user's first password");
  await press(dialogOf(page), "I have kept it");
  const row = rowOf(page, "nora");
  await expect(row).toContainText("Has to choose a password");

  await row.getByRole("radio").check();
  await act(page, "Change rights");
  await dialogOf(page)
    .getByRole("radio", { name: /^Operator/ })
    .check();
  await press(dialogOf(page), "Save");
  await expect(row).toContainText("Operator");
  await act(page, "Reset password");
  await press(dialogOf(page), "Reset");
  expect(await secretIn(page, "Password")).not.toBe(first);
  await press(dialogOf(page), "I have kept it");

  await act(page, "Disable");
  await press(dialogOf(page), "Disable");
  await expect(row).toContainText("Disabled");
  await dismiss(page, "nora was disabled.");
  await act(page, "Delete user");
  const remove = dialogOf(page).getByRole("button", { name: "Delete user" });
  await expect(remove).toBeDisabled();
  await look("a user to be deleted");
  await dialogOf(page).getByLabel("Type nora to confirm").fill("nora");
  await remove.click();
  await expect(row).toHaveCount(0);
});

test("an access key is made, disabled and deleted", async ({ page, look }) => {
  await page.goto("/ui/users?tab=keys");
  await press(page, "Create access key");
  await dialogOf(page).getByLabel("Description").fill("for the nightly run");
  await look("a key to be made");
  await press(dialogOf(page), "Create");
  expect(await secretIn(page, "Secret key (SecretKey)")).toMatch(/^\S{20,}$/);
  await press(dialogOf(page), "I have kept it");
  const row = rowOf(page, "for the nightly run");
  await row.getByRole("radio").check();
  await press(page, "Disable");
  await press(dialogOf(page), "Disable");
  await expect(row).toContainText("Disabled");
  await press(page, "Delete");
  await press(dialogOf(page), "Delete access key");
  await expect(row).toHaveCount(0);
});

test("a token is made, is let in, and is not any more once it is revoked", async ({ page, house, look }) => {
  await page.goto("/ui/users?tab=tokens");
  await press(page, "Create token");
  await dialogOf(page).getByLabel("Description").fill("for a script");
  await look("a token to be made");
  await press(dialogOf(page), "Create");
  const text = await secretIn(page, "Token");
  const status = async () => {
    const headers = { authorization: `Bearer ${text}` };
    return (await fetch(`${house.address}/api/v1/jobs`, { headers })).status;
  };
  expect(await status()).toBe(200);
  await press(dialogOf(page), "I have kept it");
  const row = rowOf(page, "for a script");
  await row.getByRole("radio").check();
  await press(page, "Revoke token");
  await press(dialogOf(page), "Revoke");
  await expect(row).toContainText("Revoked");
  expect(await status()).toBe(401);
});

test("an account is made, closed and opened again", async ({ page, look }) => {
  await page.goto("/ui/users?tab=accounts");
  await press(page, "Create account");
  await dialogOf(page).getByLabel("Account", { exact: true }).fill("studio");
  await look("an account to be made");
  await press(dialogOf(page), "Create");
  const row = rowOf(page, "studio");
  await expect(row).toContainText("Enabled");
  await row.getByRole("radio").check();
  for (const [verb, state] of [
    ["Disable", "Disabled"],
    ["Enable", "Enabled"],
  ] as const) {
    await press(page, verb);
    await press(dialogOf(page), verb);
    await expect(row).toContainText(state);
  }
});

test("a region is made, asked whether it answers, changed and deleted", async ({ page, look }) => {
  const store = createServer((_, response) => response.writeHead(403).end());
  store.listen(0, "127.0.0.1");
  await once(store, "listening");
  const { port } = store.address() as AddressInfo;
  await page.goto("/ui/regions");
  await press(page, "Create region");
  await dialogOf(page).getByLabel("Region", { exact: true }).fill("shelf");
  await dialogOf(page).getByRole("radio", { name: /^S3/ }).check();
  await dialogOf(page).getByLabel("Endpoint").fill(`http://127.0.0.1:${port}`);
  await look("a region to be made");
  await press(dialogOf(page), "Create");
  await dismiss(page, "Region shelf was saved.");
  const row = rowOf(page, "shelf");
  await row.getByRole("radio").check();
  await press(page, "Test connection");
  await expect(row).toContainText(/Answers in [\d.,]+ ms/);
  store.closeAllConnections();
  store.close();
  await once(store, "close");
  await press(page, "Test connection");
  await row.getByRole("button", { name: "Does not answer" }).click();
  await expect(page.getByText(/ConnectionRefused: 127\.0\.0\.1/)).toBeVisible();
  await look("a region that does not answer");

  await act(page, "Change");
  await dialogOf(page).getByRole("button", { name: "More" }).click();
  await dialogOf(page).getByLabel("Requests a second at most").fill("50");
  await press(dialogOf(page), "Save");
  await dismiss(page, "Region shelf was saved.");
  await expect(row).toContainText("Not tested yet"); // what was found out is of how it was before
  await act(page, "Change");
  await dialogOf(page).getByRole("button", { name: "More" }).click();
  await expect(dialogOf(page).getByLabel("Requests a second at most")).toHaveValue("50");
  await press(dialogOf(page), "Cancel");
  await act(page, "Delete");
  await look("a region to be deleted");
  await dialogOf(page).getByLabel("Type shelf to confirm").fill("shelf");
  await press(dialogOf(page), "Delete region");
  await expect(page.getByText("Region shelf was deleted.")).toBeVisible();
  await expect(row).toHaveCount(0);
});

test("a webhook is made, is sent a test, gets another secret, and is deleted", async ({ page, look }) => {
  const received: string[] = [];
  const answers = [204, 500];
  const receiver = createServer((request, response) => {
    received.push(String(request.headers["webhook-signature"]));
    response.writeHead(answers.shift() ?? 204).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  try {
    await page.goto("/ui/webhooks");
    await press(page, "Create webhook");
    await dialogOf(page).getByLabel("Name", { exact: true }).fill("pager");
    await dialogOf(page).getByLabel("Address").fill(`http://127.0.0.1:${port}/hook`);
    await look("a webhook to be made");
    await press(dialogOf(page), "Create");
    const secret = await secretIn(page, "Secret");
    expect(secret).toMatch(/^whsec_/);
    await press(dialogOf(page), "I have kept it");

    const row = rowOf(page, "pager").first();
    await row.getByRole("radio").check();
    await press(page, "Send test");
    await expect(page.getByText("pager took the test message (HTTP 204).")).toBeVisible();
    expect(received).toEqual([expect.stringMatching(/^v1,/)]);
    await press(page, "Send test");
    await expect(page.getByText("pager did not take the test message:")).toBeVisible();
    await look("a webhook that did not take its test");

    await act(page, "Rotate secret");
    await press(dialogOf(page), "Rotate");
    expect(await secretIn(page, "Secret")).not.toBe(secret);
    await press(dialogOf(page), "I have kept it");
    await row.getByRole("radio").check();
    await act(page, "Disable");
    await press(dialogOf(page), "Disable");
    await expect(row).toContainText("Disabled");
    await act(page, "Delete");
    await look("a webhook to be deleted");
    await press(dialogOf(page), "Delete webhook");
    await expect(page.getByText("No webhooks")).toBeVisible();
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});

test("a role is made and deleted", async ({ page, look }) => {
  const arn = "arn:aws:iam::123456789012:role/keeper";
  await page.goto("/ui/roles");
  await page.getByRole("button", { name: "Create role" }).first().click(); // an empty list offers it too
  await dialogOf(page).getByLabel("Role ARN").fill(arn);
  await dialogOf(page).getByLabel("Access key ID").fill("AKKEEPER");
  await dialogOf(page).getByLabel("Secret key").fill("SKKEEPER");
  await look("a role to be made");
  await press(dialogOf(page), "Create");
  await expect(page.getByText("The role is registered here, and jobs can use it.")).toBeVisible();
  await page.keyboard.press("Escape");
  const row = rowOf(page, arn);
  await row.getByRole("radio").check();
  await act(page, "Delete role");
  await look("a role to be deleted");
  await dialogOf(page).getByLabel("Type keeper to confirm").fill("keeper");
  await press(dialogOf(page), "Delete");
  await expect(row).toHaveCount(0);
});

test("the audit log shows of one action, or of one actor", async ({ page, house: { address, login } }) => {
  const hook = { name: "bell", url: "https://hooks.example.com/", statuses: [] };
  // Of several accounts, so that the log tells which one each line is of.
  await ask(address, login, { method: "POST", path: "/accounts", body: { name: "audited" } });
  await ask(address, login, { method: "POST", path: "/webhooks", body: hook });
  await ask(address, login, { method: "POST", path: "/webhooks/bell/disable" });
  await page.goto("/ui/audit");
  const filter = page.getByLabel(ENGLISH["audit.filter"] ?? "");
  const cells = (column: string) => page.locator(`#content tbody > tr > :nth-child(${COLUMNS.indexOf(column) + 1})`);
  await expect(page.getByRole("columnheader")).toContainText(COLUMNS);
  await expect(cells("Action").first()).toHaveText("Webhook disableddisable-webhook");
  await filter.fill("Action = disable-webhook");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/action=disable-webhook/);
  await expect(cells("Action").first()).toHaveText("Webhook disableddisable-webhook");
  await expect(cells("Action").filter({ hasNotText: /disable-webhook$/ })).toHaveCount(0);
  await expect(cells("Target").first()).toHaveText("bell");
  await turnTo(page, "/ui/audit");
  await filter.fill("Who = nobody");
  await page.keyboard.press("Enter");
  await expect(page.getByText("No entries")).toBeVisible();
  await turnTo(page, "/ui/audit?actor=admin&action=create-webhook");
  await expect(cells("Target").first()).toHaveText("bell");
  await expect(cells("Who").filter({ hasNotText: /^admin$/ })).toHaveCount(0);
});
