import { expect, test } from "./fixtures";
import { visit } from "./visits";

// That no page asks for anything elsewhere, or offends its policy, each test sees to: the fixture `page` does.

test.describe("another host", () => {
  test.use({ expectedFaults: [/outside: http:\/\/localhost/] });

  test("is not found by the browser of these tests", async ({ page, baseURL }) => {
    const byName = (baseURL ?? "").replace("127.0.0.1", "localhost");
    await expect(page.goto(`${byName}/ui/jobs`)).rejects.toThrow("ERR_NAME_NOT_RESOLVED");
  });
});

test("the icon of the browser's tab is the service's own, and the policy lets in nothing else", async ({
  page,
  request,
  baseURL,
}) => {
  await page.goto("/ui/jobs");
  const href = await page.locator("link[rel~=icon]").getAttribute("href");
  const icon = await request.get(new URL(href ?? "", page.url()).href);
  expect(icon.url()).toContain(`${baseURL ?? ""}/ui/`);
  expect(icon.status()).toBe(200);
  expect(icon.headers()["content-type"]).toMatch(/^image\//);

  const script = await page.locator("script[src]").first().getAttribute("src");
  for (const path of ["/ui/", "/ui/login", "/ui/jobs", "/ui/nothing", "/ui/nothing.js", script ?? ""]) {
    const answer = await request.get(path);
    const policy = directivesOf(answer.headers()["content-security-policy"] ?? "");
    expect.soft(policy, path).toMatchObject({
      "default-src": "'none'",
      "script-src": "'self'",
      "style-src": "'self'",
      "connect-src": "'self'",
      "font-src": "'self'",
      "img-src": "'self' data:",
      "base-uri": "'none'",
      "form-action": "'self'",
      "frame-ancestors": "'none'",
    });
    expect.soft(Object.values(policy).join(" "), path).not.toMatch(/unsafe|\*|https?:|blob:/);
  }
});

function directivesOf(policy: string): Record<string, string> {
  return Object.fromEntries(
    policy.split(";").map((directive) => {
      const [name = "", ...sources] = directive.trim().split(/\s+/);
      return [name, sources.join(" ")];
    }),
  );
}

test.describe("a page that offends", () => {
  test.use({ expectedFaults: [/./] });

  test("is seen to: by its scripts and styles, and by what it asks elsewhere", async ({ page, faults }) => {
    await visit(page, "/ui/settings");
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.hasRun = true";
      const style = document.createElement("style");
      style.textContent = "h1 { display: none }";
      const picture = document.createElement("img");
      picture.src = "https://example.com/picture.png";
      document.body.append(script, style, picture);
      void fetch("https://example.com/beacon").catch(() => undefined);
    });
    const told = () => faults.join("\n");
    await expect.poll(told).toMatch(/policy: script-src-elem inline/);
    await expect.poll(told).toMatch(/policy: style-src-elem inline/);
    await expect.poll(told).toMatch(/policy: img-src https:\/\/example\.com/);
    await expect.poll(told).toMatch(/policy: connect-src https:\/\/example\.com/);
    expect(await page.evaluate(() => "hasRun" in globalThis)).toBe(false);
    await expect(page.locator("h1").first()).toBeVisible();
  });
});
