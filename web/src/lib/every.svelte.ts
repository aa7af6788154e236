// Reads again and again what no event tells of, while the page is seen.

/** Call `read` every so many milliseconds while the component lives and the tab is visible. */
export function every(ms: number, read: () => unknown): void {
  $effect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) read();
    }, ms);
    return () => clearInterval(timer);
  });
}
