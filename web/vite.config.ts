import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` shows the page of these sources over a running `tunesmith studio`.
const service = process.env.TUNESMITH_STUDIO ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/tunesmith/studio/static",
    emptyOutDir: true,
    target: "es2022",
    // The service forbids inline data, so small files stay files.
    assetsInlineLimit: 0,
    // Workers and pages are loaded by their own imports; the polyfill would be an inline script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 250,
  },
  server: { proxy: { "/api": service, "/v1": service } },
});
