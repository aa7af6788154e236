import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` shows the page of these sources over a running `tunesmith studio`.
const service = process.env.TUNESMITH_STUDIO ?? "http://127.0.0.1:8000";

// A visit asks for four scripts: the frame with everything pages share, the words, the page, and charts where it has any.
const groups = [
  { name: "shell", test: /node_modules\/(svelte|esm-env|clsx)|\/src\/(lib|shell|parts\/(?!Chart|chart|drawing))/, priority: 2 },
  { name: "charts", test: /uplot|\/src\/parts\//, priority: 1 },
];

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
    // All styles are one file: it is small, and no page waits for its own.
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: { groups } } },
    chunkSizeWarningLimit: 250,
  },
  server: { proxy: { "/api": service, "/v1": service } },
});
