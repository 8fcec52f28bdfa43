/**
 * Shapes that the gallery's files share.
 * @typedef {object} Item an artifact as the list has it
 * @property {string} id
 * @property {string} modality
 * @property {string} media_type
 * @property {number} size_bytes
 * @property {string} created_at
 * @property {string} title
 * @property {string[]} parents
 * @property {string} model
 * @property {string} app
 * @property {string} regime
 * @property {"active" | "withdrawn" | "deleted"} state
 * @property {"allow" | "flag" | "redact" | "block"} verdict
 * @property {{check: string, stage: string, action: string}[]} flags
 * @property {string[]} collections
 * @property {string} excerpt
 * @property {number | null} score
 *
 * @typedef {{id: string, name: string, num_artifacts: number}} Collection
 * @typedef {{value: string, count: number}} Facet
 */
export {};
