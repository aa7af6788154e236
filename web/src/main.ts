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
// The frame of the page is there before the service has said who is visiting.
void openSession();
await setLanguage();
mount(App, { target: document.getElementById("app") as HTMLElement });
