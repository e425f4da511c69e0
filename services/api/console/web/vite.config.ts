import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// `npm run dev` shows the console with the data of a running city: ALATAU_API=http://127.0.0.1:8620
const api = process.env.ALATAU_API ?? "http://127.0.0.1:8620";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: process.env.ALATAU_CONSOLE_BUILT ?? "../built",
    emptyOutDir: true,
    assetsDir: "console",
    target: "es2022",
    // MapLibre is one large module by nature.
    chunkSizeWarningLimit: 1500,
  },
  server: { proxy: { "/api": api, "/open": api, "/health": api } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
