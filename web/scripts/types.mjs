// Writes src/lib/schema.ts: the types of everything the service answers, from its own OpenAPI document.
// The file is not committed. A build needs no types, so a fresh clone builds without Python.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const ours = "../.venv/bin/python";
const python = process.env.PYTHON ?? (existsSync(ours) ? ours : "python3");
const document = execFileSync(python, ["-m", "tunesmith.studio.openapi"], {
  encoding: "utf8",
  maxBuffer: 2 ** 26,
});
const types = astToString(await openapiTS(document));
writeFileSync("src/lib/schema.ts", types);
