/** Rows of the same kind; on a phone each row becomes a card with its columns' names. */
import { html } from "../core/html.js";

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string} title
 * @property {(row: any) => unknown} [show] the row's field of that name when absent
 * @property {boolean} [isNumber]
 */

/** @param {{caption: string, columns: Column[], rows: any[], keyOf?: (row: any) => string}} props */
export const Table = ({ caption, columns, rows, keyOf = (row) => row.id ?? row.name }) => html`<div
  class="table-frame"
  role="region"
  aria-label=${caption}
  tabindex="0"
>
  <table class="table">
    <caption class="unseen">${caption}</caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th key=${column.name} scope="col" class=${column.isNumber ? "number" : ""}>${column.title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) => html`<tr key=${keyOf(row)}>
          ${columns.map(
            (column) => html`<td key=${column.name} data-title=${column.title} class=${column.isNumber ? "number" : ""}>
              ${column.show ? column.show(row) : row[column.name]}
            </td>`,
          )}
        </tr>`,
      )}
    </tbody>
  </table>
</div>`;
