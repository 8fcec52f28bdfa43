/** Markup as tagged templates: `html` makes Preact nodes; the hooks and signals every page needs come along. */
import { h, Fragment, createContext, render } from "preact";
import { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback, useContext, useId } from "preact/hooks";
import { signal, computed, effect, batch, useSignal, useComputed, useSignalEffect } from "@preact/signals";
import htm from "htm";

export const html = htm.bind(h);

export { h, Fragment, createContext, render };
export { useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback, useContext, useId };
export { signal, computed, effect, batch, useSignal, useComputed, useSignalEffect };

/**
 * Joins class names; falsy ones fall out.
 * @param {...(string|false|null|undefined)} names
 * @returns {string}
 */
export const classes = (...names) => names.filter(Boolean).join(" ");
