// Every sentence of the page in one language: one file for each area, one download for all.
type Area = Record<string, string>;

const files = import.meta.glob<Area>("./en/*.json", { eager: true, import: "default" });

export const words: Record<string, Area> = Object.fromEntries(
  Object.entries(files).map(([path, area]) => [path.replace(/^.*\/(.*)\.json$/, "$1"), area]),
);
