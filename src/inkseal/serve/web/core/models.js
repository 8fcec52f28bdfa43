/** What models can be asked for. */

/** True for a model that answers in words. The fake makes everything. @param {{task: string, format: string, modality: string}} model */
export const writesText = (model) => model.task === "generate" && (model.format === "echo" || model.modality === "text");
