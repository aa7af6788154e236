/** A column of a Table. */
export interface Column<T> {
  key: string;
  label: string;
  /** In pixels; what is left over is shared. */
  width?: number;
  /** Set to the right. */
  number?: boolean;
  mono?: boolean;
  title?: string;
  /** The cell's text; without it the field `key` of the row, or the table's `cell` snippet. */
  text?: (item: T) => string;
}
