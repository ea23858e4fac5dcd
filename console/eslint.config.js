import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["dist", "node_modules", "src/api/schema.d.ts", "test-results", "playwright-report", "screenshots"] },
  js.configs.recommended,
  ...typescript.configs.strict,
  a11y.flatConfigs.recommended,
  hooks.configs.flat["recommended-latest"],
  {
    files: ["e2e/**", "pictures/**"],
    rules: {
      "react-hooks/rules-of-hooks": "off", // playwright's fixtures have a `use` of their own
      "no-empty-pattern": "off", // and it reads from the pattern which others a fixture needs
    },
  },
  {
    rules: {
      "no-undef": "off", // the compiler knows
      "no-console": "error",
      "no-restricted-imports": [
        "error",
        { paths: [{ name: "@cloudscape-design/components", message: "Import from the component's own folder." }] },
      ],
    },
  },
);
