import { build } from "esbuild";
import type { Plugin } from "vite";

const ID = "virtual:theme.css";

const SOURCE = `
import { generateThemeStylesheet } from "@cloudscape-design/components/theming";
const sans = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";
const brand = { light: "#3d46c2", dark: "#a9b1ff" };
const strong = { light: "#2b3296", dark: "#c9ceff" };
const tint = { light: "#eef0ff", dark: "#1d2050" };
const selected = { light: "#f7f8ff", dark: "#1d2050" };
export const css = generateThemeStylesheet({
  theme: {
    tokens: {
      fontFamilyBase: sans,
      fontFamilyHeading: sans,
      fontFamilyDisplay: sans,
      fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono', 'DejaVu Sans Mono', 'Liberation Mono', 'Noto Sans Mono CJK SC', monospace",
      colorBackgroundButtonPrimaryDefault: brand,
      colorBackgroundButtonPrimaryHover: strong,
      colorBackgroundButtonPrimaryActive: strong,
      colorBackgroundButtonNormalHover: tint,
      colorBorderButtonNormalDefault: brand,
      colorBorderButtonNormalHover: strong,
      colorBorderButtonNormalActive: strong,
      colorTextButtonNormalDefault: brand,
      colorTextButtonNormalHover: strong,
      colorTextButtonNormalActive: strong,
      colorTextLinkDefault: brand,
      colorTextLinkHover: strong,
      colorTextAccent: brand,
      colorTextLinkButtonNormalDefault: brand,
      colorTextLinkButtonNormalHover: strong,
      colorBackgroundControlChecked: brand,
      colorBorderItemFocused: brand,
      colorBorderItemSelected: brand,
      colorBackgroundItemSelected: selected,
      colorItemSelected: brand,
      colorBackgroundLayoutToggleSelectedDefault: brand,
      colorTextLayoutToggleHover: brand,
      colorBackgroundProgressBarValueDefault: brand,
      colorBackgroundSegmentActive: brand,
      colorBackgroundToggleButtonNormalPressed: tint,
      colorBorderToggleButtonNormalPressed: brand,
      colorTextToggleButtonNormalPressed: strong,
      colorTextToggleButtonIconPressed: brand,
    },
  },
});
`;

/**
 * The kit's own colours and fonts replaced by ours, as a stylesheet that is made when the console is built: the kit
 * would else write a style element into the page, which the service's Content-Security-Policy forbids.
 */
export function theme(): Plugin {
  return {
    name: "cosbatch-theme",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    async load(id) {
      if (id !== `\0${ID}`) return undefined;
      const made = await build({
        stdin: { contents: SOURCE, resolveDir: import.meta.dirname },
        bundle: true,
        format: "esm",
        platform: "node",
        write: false,
      });
      const text = made.outputFiles[0]?.text ?? "";
      const module = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as { css: string };
      return module.css;
    },
  };
}
