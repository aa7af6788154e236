// One polite voice for everything that happens without a click, for readers of the screen and, as a toast, for others.

export const said = $state<{ text: string; bad: boolean }>({ text: "", bad: false });
let timer: ReturnType<typeof setTimeout> | undefined;

/** Say that something is done ("Copied", "Run r-12 finished"); it goes by itself. */
export function announce(text: string, { bad = false } = {}): void {
  said.text = text;
  said.bad = bad;
  clearTimeout(timer);
  timer = setTimeout(() => (said.text = ""), bad ? 8000 : 4000);
}
