import { expect, test as base } from "./fixtures";
import { type Proxy, startProxy } from "./proxy";
import { loggedIn, type Login, makeJob, newGround, type Service } from "./services";

interface House {
  services: Service[];
  proxy: Proxy;
  login: Login;
}

interface Fixtures {
  house: House;
}

const test = base.extend<Fixtures>({
  house: [
    async ({}, use) => {
      const ground = await newGround();
      try {
        const services = await ground.start(2);
        const proxy = await startProxy(services.map(({ address }) => address));
        await use({ services, proxy, login: await ground.logIn(proxy.address) });
        await proxy.end();
      } finally {
        await ground.end();
      }
    },
    { timeout: 240_000 },
  ],
  baseURL: async ({ house }, use) => {
    await use(house.proxy.address);
  },
  storageState: async ({ house }, use) => {
    await use(loggedIn(house.login));
  },
});

// What the browser itself says of a call that is cut off.
test.use({ expectedFaults: [/Failed to load resource: net::ERR_/] });

test("one of two services is killed while it is asked, and the list goes on", async ({ page, house }) => {
  test.setTimeout(180_000);
  const { services, proxy, login } = house;
  const first = await makeJob(proxy.address, login, "made before");
  await page.goto("/ui/jobs");
  const rows = page.locator("#content tbody tr");
  await expect(rows.filter({ hasText: "made before" })).toBeVisible();
  await page.goto("/ui/jobs");
  await expect.poll(() => Math.min(...proxy.served.values())).toBeGreaterThan(0); // the page came from both
  await expect(rows.filter({ hasText: "made before" })).toBeVisible();

  const asked = await proxy.nextAsked();
  const killed = services.find(({ address }) => address === asked);
  const living = services.find((service) => service !== killed);
  expect(killed?.process.kill("SIGKILL")).toBe(true);

  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(rows.filter({ hasText: "made before" })).toBeVisible();
  await makeJob(living?.address ?? "", login, "made by the other one");
  await expect(rows.filter({ hasText: "made by the other one" })).toBeVisible({ timeout: 40_000 });
  await expect(rows.filter({ hasText: "made before" })).toBeVisible();
  await expect(page.getByText("Connection lost")).toHaveCount(0, { timeout: 40_000 });

  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await page.goto(`/ui/jobs?q=${first}`);
  await expect(rows.filter({ hasText: "made before" })).toBeVisible();
});
