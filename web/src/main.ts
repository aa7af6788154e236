import { mount } from "svelte";
import App from "./App.svelte";
import { setLanguage } from "./lib/i18n.svelte";
import { pages } from "./lib/routes";
import { route, startRouter } from "./lib/router.svelte";
import { setTheme } from "./lib/theme.svelte";
import { openSession } from "./shell/opening";
import "./styles/tokens.css";
import "./styles/base.css";

setTheme();
startRouter();
// The frame of the page is there before the service has said who is visiting; words and page come meanwhile.
void openSession();
void pages[route.page]().catch(() => undefined);
await setLanguage();
const app = document.getElementById("app") as HTMLElement;
app.replaceChildren();
app.className = "";
mount(App, { target: app });
