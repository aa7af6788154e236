import { mount } from "svelte";
import App from "./App.svelte";
import { setLanguage } from "./lib/i18n.svelte";
import { startRouter } from "./lib/router.svelte";
import { setTheme } from "./lib/theme.svelte";
import { openSession } from "./shell/opening";
import "./styles/tokens.css";
import "./styles/base.css";

setTheme();
startRouter();
await Promise.all([setLanguage(), openSession()]);
mount(App, { target: document.getElementById("app") as HTMLElement });
