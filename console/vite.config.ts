import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { theme } from "./theme";

export default defineConfig({
  base: "/ui/",
  plugins: [react(), theme()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the Content-Security-Policy knows no data: but for the kit's own images
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      output: {
        manualChunks: (id) =>
          /node_modules\/(react|react-dom|scheduler|react-router|@tanstack)\//.test(id) ? "frame" : undefined,
      },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": process.env["COSBATCH_SERVER_URL"] ?? "http://127.0.0.1:8470" },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "jsdom",
    setupFiles: ["src/setup.test-env.ts"],
    server: { deps: { inline: [/@cloudscape-design/] } },
  },
});
