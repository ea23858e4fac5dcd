import { join } from "node:path";

import react from "@vitejs/plugin-react";
import license from "rollup-plugin-license";
import { defineConfig } from "vitest/config";

import { kit } from "./kit";
import { parsedTexts } from "./texts";
import { theme } from "./theme";

const SERVICE = process.env["COSBATCH_SERVER_URL"] ?? "http://127.0.0.1:8014";

export default defineConfig({
  base: "/ui/",
  plugins: [react(), theme(), kit(), parsedTexts()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the Content-Security-Policy knows no data: but for the kit's own images
    chunkSizeWarningLimit: 1_300, // all that the list of jobs needs is one file, see routes.tsx
    rollupOptions: {
      plugins: [
        // What is packed into the files is others' work: their licences go along.
        license({ thirdParty: { output: join(import.meta.dirname, "dist/THIRD-PARTY-LICENSES.txt") } }),
      ],
    },
  },
  server: {
    host: "127.0.0.1",
    // The service takes writes of its own pages only, so it is shown its own address as theirs.
    proxy: { "/api": { target: SERVICE, changeOrigin: true, headers: { origin: SERVICE } } },
  },
  test: {
    include: ["*.test.ts", "src/**/*.test.{ts,tsx}"],
    environment: "jsdom",
    setupFiles: ["src/setup.test-env.ts"],
    server: { deps: { inline: [/@cloudscape-design/] } },
  },
});
