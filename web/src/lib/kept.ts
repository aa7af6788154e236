// What this browser remembers of its visitor. Private windows may refuse to; nothing depends on it.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`tunesmith.${key}`);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`tunesmith.${key}`, value);
  } catch {
    // The wish lasts as long as the page.
  }
}
